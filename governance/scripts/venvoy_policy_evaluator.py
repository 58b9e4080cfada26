"""Evaluates one governance policy in a process of its own (spec/governance.md 8.5).

Standard input has one JSON request. What was standard output when the process started takes the answer: a line of JSON
that names the isolation, then a line with the result. The policy itself prints to standard error.
"""

import venvoy_policy_work

if __name__ == "__main__":
    venvoy_policy_work.main()
