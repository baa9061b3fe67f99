"""What every other part speaks: shapes, budgets, recipes, events, histories, statistics.

Plain Python: nothing here imports torch, textual or SQLAlchemy, so the command line can count
weights and print tables before any of them is loaded.
"""
