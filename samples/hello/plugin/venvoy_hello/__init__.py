"""An Arcaflow plugin that greets."""
