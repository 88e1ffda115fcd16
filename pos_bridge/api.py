"""The tills' calls."""

from __future__ import annotations

from typing import Any

from flask import Response

from app import imports, stores
from app.catalog import UnknownSku
from app.core import etags, http, paging, uploads
from app.core.http import Api, Reply
from app.core.states import IllegalTransition
from app.core.uploads import Upload

from . import files, queries, receipts
from . import unresolved as waiting
from .errors import AlreadyResolved, ReceiptConflict, UnknownReceipt, UnknownUnresolved
from .models import PosReceipt
from .offers import KeyUnreadable, Offer, Result
from .schemas import (
    FileQuery,
    ReceiptDetailOut,
    ReceiptQuery,
    ReceiptsOut,
    ResolvedOut,
    ResolveIn,
    TillBatchIn,
    TillBatchOut,
    TillMendIn,
    TillOfferIn,
    TillResultOut,
    UnresolvedListOut,
    UnresolvedQuery,
    read_offer,
)

bp = Api("pos", __name__)
SALE = {
    "source": "register", "store": "S1", "terminal": "1", "receipt_no": "1042", "kind": "sale",
    "business_date": "2026-11-22", "sold_at": "2026-11-22T15:10:00+09:00",
    "lines": [{"line_no": 1, "barcode": "4901234567894", "quantity": 2, "unit_price": 1100}],
    "tenders": [{"method": "cash", "amount": 2200}],
}  # fmt: skip


@bp.operation(
    "POST", "/pos/sales", scope="pos:write", body=TillOfferIn, reply=TillResultOut, status=201,
    problems=[ReceiptConflict, stores.UnknownLocation], example=SALE,
)  # fmt: skip
def post_sale(offer: Offer) -> Reply:
    """Take in one till's sale, return or void; it has happened and is never refused for stock."""
    result = receipts.receive_one(offer)
    http.about("pos_receipt", result.id or "", offer.key.store)
    return Reply(result.show(), status=result.status)


@bp.operation(
    "POST", "/pos/batches", scope="pos:write", body=TillBatchIn, reply=TillBatchOut, example={"sales": [SALE]}
)  # fmt: skip
def post_batch(sales: list[Any]) -> dict[str, Any]:
    """Take in up to 500 sales; each is answered as if it had come alone."""
    answers: list[Result] = []
    offers: list[tuple[int, Offer]] = []
    for raw in sales:
        answers.append(Result(422, code="invalid"))
        try:
            offers.append((len(answers) - 1, read_offer(raw)))
        except KeyUnreadable as fault:
            answers[-1].problems = fault.problems
    for (index, _), result in zip(offers, receipts.receive([offer for _, offer in offers]), strict=True):
        answers[index] = result
    return {"results": [{"status": result.status, **result.show()} for result in answers]}


@bp.operation("GET", "/pos/receipts", scope="pos:write", query=ReceiptQuery, reply=ReceiptsOut)
def list_receipts(query: dict[str, Any]) -> dict[str, Any]:
    """What the tills sent; `state=parked` is what waits to be mended."""
    found = queries.receipts(state=query.get("state"), location=query.get("location"), source=query.get("source"))
    return paging.page(found, PosReceipt, query, show=queries.show)


@bp.operation(
    "GET", "/pos/receipts/<receipt_id>", scope="pos:write", reply=ReceiptDetailOut, problems=[UnknownReceipt]
)  # fmt: skip
def get_receipt(receipt_id: str) -> dict[str, Any]:
    """One receipt with the sale as it was sent."""
    return queries.show_whole(queries.find(receipt_id))


@bp.operation(
    "PUT", "/pos/receipts/<receipt_id>", scope="pos:write", body=TillMendIn, reply=TillResultOut,
    problems=[UnknownReceipt, IllegalTransition, ReceiptConflict, stores.UnknownLocation], example={"sale": SALE},
)  # fmt: skip
def mend_receipt(body: dict[str, Offer], receipt_id: str) -> Reply:
    """Put a mended sale in the place of a parked one, and post it."""

    def expect(present: PosReceipt) -> None:
        etags.require_match(ReceiptDetailOut, queries.show_whole(present))

    return Reply(receipts.mend(receipt_id, body["sale"], expect=expect).show(), status=200)


@bp.operation(
    "POST", "/pos/receipts/<receipt_id>/replay", scope="pos:write", reply=TillResultOut,
    problems=[UnknownReceipt, IllegalTransition],
)  # fmt: skip
def replay_receipt(receipt_id: str) -> Reply:
    """Try a parked receipt again: its store or its goods may have become known."""
    return Reply(receipts.replay(receipt_id, read_offer).show(), status=200)


@bp.operation("GET", "/pos/unresolved", scope="pos:write", query=UnresolvedQuery, reply=UnresolvedListOut)
def list_unresolved(query: dict[str, Any]) -> dict[str, Any]:
    """Codes on sold lines that nobody knows yet, with what waits for each."""
    return queries.unresolved(query)


@bp.operation(
    "POST", "/pos/unresolved/<line_id>/resolve", scope="pos:write", body=ResolveIn, reply=ResolvedOut,
    problems=[UnknownUnresolved, UnknownSku, AlreadyResolved], example={"sku": "A-1"},
)  # fmt: skip
def resolve_code(body: dict[str, Any], line_id: str) -> waiting.Resolved:
    """Say which SKU an unknown code is: everything that waits for it is posted, once."""
    return waiting.resolve(line_id, sku=body["sku"])


@bp.operation(
    "POST", "/pos/files/<adapter>", scope="pos:write", consumes=f"{uploads.CSV}, {uploads.XML}", query=FileQuery,
    reply=imports.StartedOut, status=202, problems=[imports.UnknownImportKind, imports.FileUnreadable],
)  # fmt: skip
def start_file(upload: Upload, query: dict[str, Any], adapter: str) -> Any:
    """Hand in a till's file (`generic` CSV, `poslog` XML); receipts that are known already change nothing."""
    run = imports.start(
        kind=files.kind_of(adapter), upload=upload, dry_run=query["dry_run"],
        facts={"source": query.get("source") or adapter},
    )  # fmt: skip
    http.about("import_run", run.id)
    return run


@bp.operation(
    "GET", "/pos/files/<adapter>/<run_id>", scope="pos:write", reply=imports.ReportOut, problems=[imports.UnknownImport]
)  # fmt: skip
def get_file(adapter: str, run_id: str) -> dict[str, Any]:
    """How a till's file went so far."""
    return imports.report(files.find(adapter, run_id))


@bp.operation(
    "GET", "/pos/files/<adapter>/<run_id>/errors", scope="pos:write", produces=uploads.CSV,
    problems=[imports.UnknownImport],
)  # fmt: skip
def get_file_errors(adapter: str, run_id: str) -> Response:
    """The refused receipts as a CSV file with a reason before each."""
    return imports.errors_file(files.find(adapter, run_id))
