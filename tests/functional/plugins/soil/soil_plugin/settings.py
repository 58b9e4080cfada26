# Whether what the module does before it waits for work depends on the process that it runs in (plugin_opening.py).
OWN_OPENING = True
