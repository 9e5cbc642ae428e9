"""e-musrenbang: what villages and council members propose for the coming year, in the field names of SIPD.

SIPD's lists data_asmas and data_pokir (`sources.md`, section 4) are one shape; other applications come to it by the
column mapping of settings. Numbers are as typed: `1.500.000,00`. A place that makes no sense (no number, out of
Indonesia) never costs a proposal: it is left out, and set right where the two numbers were swapped
(`schemas.fields.point`).
"""

from schemas.fields import AmountOrMissing, Code, Count, Degrees, Flag, LocalTime, OwnCode, QuantityOrMissing, Text
from schemas.service import Office, Personal, Service, SourceRecord

LEVELS = ("lurah", "camat", "skpd", "mitra", "tapd")
"""Who recommends, in the order in which a proposal passes them: village, district, office, Bappeda, budget team."""


class Usulan(SourceRecord):
    """A proposal, with what each level recommends: an amount, an extent (`koefisien`) and words.

    `nama_skpd_awal` is the office that it was made to, `nama_skpd` the one that it ended with. `id_sub_bl` is the code
    of the budget sub-activity (the first six segments of a `mak`) where one has taken it up; SIPD's own number of the
    budget line may stand there instead and means nothing outside SIPD.
    """

    # Who proposes may be a villager; the level or group (level_pengusul) may be published. An address may be a home.
    id_usulan: OwnCode
    tahun_anggaran: Count = None
    tanggal_usul: LocalTime = None
    giat_teks: Text = None
    masalah: Text = None
    tujuan_usul: Text = None
    id_jenis_usul: Code = None
    jenis_usul_teks: Text = None
    bidang_urusan: Text = None
    id_kecamatan: Code = None
    id_kelurahan: Code = None
    detail_camatteks: Text = None
    detail_lurahteks: Text = None
    alamat_teks: Personal[Text] = None
    lokus_usulan: Text = None
    detail_latpeta: Degrees = None
    detail_langpeta: Degrees = None
    pengusul: Personal[Text] = None
    level_pengusul: Text = None
    nama_skpd_awal: Text = None
    nama_skpd: Text = None
    kode_skpd: Code = None
    anggaran: AmountOrMissing = None
    koefisien: Text = None
    satuan: Text = None
    volume: QuantityOrMissing = None
    rekom_lurah_anggaran: AmountOrMissing = None
    rekom_lurah_koefisien: Text = None
    rekom_lurah_rekomendasi: Text = None
    rekom_camat_anggaran: AmountOrMissing = None
    rekom_camat_koefisien: Text = None
    rekom_camat_rekomendasi: Text = None
    rekom_skpd_anggaran: AmountOrMissing = None
    rekom_skpd_koefisien: Text = None
    rekom_skpd_rekomendasi: Text = None
    rekom_mitra_anggaran: AmountOrMissing = None
    rekom_mitra_koefisien: Text = None
    rekom_mitra_rekomendasi: Text = None
    rekom_tapd_anggaran: AmountOrMissing = None
    rekom_tapd_koefisien: Text = None
    rekom_tapd_rekomendasi: Text = None
    status_usul: Code = None
    status_usul_teks: Text = None
    is_verif: Flag = None
    is_tolak: Flag = None
    tolak_teks: Text = None
    is_batal: Flag = None
    batal_teks: Text = None
    file_foto: Text = None
    file_proposal: Text = None
    file_rab: Text = None
    id_sub_bl: Code = None
    # Further numbers of SIPD's own.
    id_bl: Code = None
    id_program_bl: Code = None
    id_giat_bl: Code = None
    id_sub_skpd_bl: Code = None

    @property
    def office(self) -> Office:
        """The office that the proposal ended with, else the one that it was made to; SIRUP takes SIPD's code over."""
        return Office((self.kode_skpd,), self.nama_skpd or self.nama_skpd_awal)


class Pokir(Usulan):
    """A proposal of a member of the council (pokok pikiran DPRD); the member is the proposer, and not named."""


SERVICES: tuple[Service, ...] = (
    Service("Musrenbang-Usulan", Usulan, key=("id_usulan",), kind="usulan", linked=True),
    Service("Musrenbang-Pokir", Pokir, key=("id_usulan",), kind="pokir", linked=True),
)
"""Every list of proposals that Jejak reads, in the order to read them."""
