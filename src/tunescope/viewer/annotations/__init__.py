"""What people say of concepts: whether they mean something, and what; kept beside the run."""
