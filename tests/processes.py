"""A compiled process that has reached all five stages, for tests to take from and to change."""

from typing import Any

OFFICE = {"id": "JEJAK-SATKER-1.01", "name": "DINAS CONTOH"}
WINNER = {"id": "JEJAK-PENYEDIA-7", "name": "CV CONTOH"}
LOSER = {"id": "JEJAK-PENYEDIA-8", "name": "CV LAIN"}


def idr(amount: float) -> dict[str, Any]:
    return {"amount": amount, "currency": "IDR"}


def whole(ocid: str = "ocds-213czf-rup-100") -> dict[str, Any]:
    """A process that has reached all five stages."""
    return {
        "ocid": ocid,
        "id": f"{ocid}-2025-06-01T00:00:00+00:00",
        "date": "2025-06-01T00:00:00+00:00",
        "tag": ["compiled"],
        "initiationType": "tender",
        "title": "Jalan desa",
        "buyer": OFFICE,
        "parties": [
            {**OFFICE, "roles": ["buyer", "procuringEntity"], "address": {"locality": "Contoh", "region": "Jawa"}},
            {**WINNER, "roles": ["tenderer", "supplier"], "identifier": {"scheme": "JEJAK-PENYEDIA", "id": "7"}},
            {**LOSER, "roles": ["tenderer"]},
        ],
        "planning": {
            "budget": {
                "id": "100",
                "amount": idr(1000),
                "budgetBreakdown": [
                    {
                        "id": "100|m1",
                        "description": "5.1.02 APBD",
                        "amount": idr(600),
                        "period": {"startDate": "2025-01-01T00:00:00+07:00", "endDate": "2025-12-31T23:59:59+07:00"},
                        "sourceParty": OFFICE,
                    },
                    {"id": "100|m2", "amount": idr(400)},
                ],
            }
        },
        "tender": {
            "id": "tender-555",
            "status": "complete",
            "statusDetails": "Selesai",
            "procurementMethod": "open",
            "procurementMethodDetails": "Tender",
            "mainProcurementCategory": "works",
            "value": idr(990),
            "numberOfTenderers": 2,
            "procuringEntity": OFFICE,
            "datePublished": "2025-01-31T23:30:00+07:00",
            "tenderPeriod": {"startDate": "2025-02-01T08:00:00+07:00", "endDate": "2025-02-08T08:00:00+07:00"},
            "milestones": [{"id": "555-1", "status": "scheduled", "dueDate": "2025-02-08T00:00:00+07:00"}],
        },
        "bids": {
            "details": [
                {"id": "b1", "tenderers": [WINNER], "value": idr(900)},
                {"id": "b2", "tenderers": [LOSER], "value": idr(950)},
            ]
        },
        "awards": [
            {"id": "a0", "status": "cancelled", "value": idr(950), "suppliers": [LOSER]},
            {"id": "a1", "date": "2025-03-01T00:00:00+07:00", "value": idr(900), "suppliers": [WINNER]},
        ],
        "contracts": [
            {
                "id": "c1",
                "awardID": "a1",
                "status": "active",
                "value": idr(900),
                "dateSigned": "2025-03-10T00:00:00+07:00",
                "period": {"startDate": "2025-03-11T00:00:00+07:00", "endDate": "2025-09-11T23:59:59+07:00"},
                "milestones": [{"id": "spmk", "status": "met", "dateMet": "2025-03-11T00:00:00+07:00"}],
                "implementation": {
                    "milestones": [{"id": "bast", "type": "delivery", "dateMet": "2025-05-02T00:00:00+07:00"}],
                    "transactions": [
                        {"id": "t1", "type": "SP2D", "date": "2025-04-01T00:00:00+07:00", "value": idr(300)},
                        {"id": "t2", "type": "SP2D", "date": "2025-05-01T00:00:00+07:00", "value": idr(600.5)},
                    ],
                    "finalValue": idr(900.5),
                    "endDate": "2025-05-02T23:59:59+07:00",
                },
            },
            {"id": "c0", "awardID": "a0", "status": "cancelled", "value": idr(950)},
        ],
    }  # fmt: skip
