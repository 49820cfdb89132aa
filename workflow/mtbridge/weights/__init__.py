"""What is read from weight matrices."""
