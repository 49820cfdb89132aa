"""What a task of each kind is scored by."""
