"""The pages of a run: each an address of the served site and a file of the exported one."""
