"""What a study may set, declared once: tasks, recipes, pretraining."""
