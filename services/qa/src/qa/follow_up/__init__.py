"""Follow-up projects 回访项目: whom to call, when, with which questions, and what was found."""
