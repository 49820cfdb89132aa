"""Results in the formats in which others exchange them: Every Eval Ever, and model cards of the Hub."""
