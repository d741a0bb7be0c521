"""Alarms of time limits 预警、超时、升级: the monitor, the ladder it climbs, and who has seen what."""
