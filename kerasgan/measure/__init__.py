"""How well pictures are restored, in figures, tables and pages."""
