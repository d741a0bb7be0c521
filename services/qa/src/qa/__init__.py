"""qa: audits and archives completed orders. Custodian of `completed` and `auditing`."""
