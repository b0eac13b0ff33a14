"""The recorded experiments: a script each, with its record (JSON) and what it learned (safetensors) beside it."""
