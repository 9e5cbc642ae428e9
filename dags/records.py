"""`build_records`: when a source has brought something, the records that it touches."""

from datetime import timedelta

from airflow.sdk import DAG, Asset, AssetAny

from dags.alerts import alerting
from dags.building import build_pending
from pipeline.registry import SOURCES

DOC = """
Places new rows in their processes, links them and builds the records that they touch: only
what waits for it, so that a run that was missed is made up for by the next. It is woken when a source has brought
something, and doesn't wait for those that are slow or failed. The setting `shards` spreads `build` over so many tasks.

**Counts** are the XCom of `report` and stand at the asset `records`: what was placed, linked and built, which
records are new, otherwise than they were, or gone, and how many links wait for somebody to decide. The XCom `changed`
names those processes (500 of each kind; `jejak changes` names all).

**Red?** The log of the failed task gives the reason. Nothing is half-written: clear that task, with what follows it, to
run it again.
"""

with DAG(
    dag_id="build_records",
    description="Builds the records that new rows touch, whenever a source has brought some",
    schedule=AssetAny(*(Asset(f"{source}_rows") for source in SOURCES)),
    max_active_runs=1,
    # A first load of some million rows takes hours; the next night's rows can wait no longer. What is built by then
    # stays, and the next run goes on.
    dagrun_timeout=timedelta(hours=18),
    tags=["jejak", "records"],
    default_args={"owner": "jejak"},
    doc_md=DOC,
    **alerting(hours=12),
):
    build_pending("build")
