"""Plan and execute: a planner and an executor."""
