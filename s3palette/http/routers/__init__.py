"""The routes, a module a subject. Handlers only translate: what is allowed is decided by the entities."""
