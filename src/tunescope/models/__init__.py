"""Load any Hugging Face checkpoint, and fine-tune one."""
