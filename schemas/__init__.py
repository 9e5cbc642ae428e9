"""Shapes: source records, services, OCDS models, settings, errors. No I/O."""
