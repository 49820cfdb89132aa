"""Generation: sequence-to-sequence models are adapted to a task in English and write in other languages."""
