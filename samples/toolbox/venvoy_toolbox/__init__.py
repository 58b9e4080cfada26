"""An Arcaflow plugin with the steps that the samples use."""
