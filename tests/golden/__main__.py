"""Write every golden file anew; read the difference before you commit it."""

import json

from tests.golden import CASES, golden, outcome

for case in CASES:
    golden(case).write_text(json.dumps(outcome(case), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(golden(case))
