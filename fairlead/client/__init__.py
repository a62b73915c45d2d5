"""HTTP clients of Fairlead's APIs: `session.Session` for people's tools, `agent_link.AgentLink` for agents.

May import the model, `wire` and the agent's boundary. Every failure is a `ClientError` or `ControlAway`
that says what was asked of whom, what came back, and what would help. Trap: never used by control itself.
"""
