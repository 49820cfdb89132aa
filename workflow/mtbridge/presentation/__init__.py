"""Tables, figures and the page: views of what is there."""
