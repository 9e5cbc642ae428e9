"""Words of the fictional regency. Nothing here names a real office, firm, place or person."""

REGENCY = "Kab. Rekaan"
LPSE = "LPSE Kabupaten Rekaan"
LPSE_URL = "https://lpse.rekaankab.example/eproc4"
TOWN = "Rekajaya"
PROVINCE = "Provinsi Khayal Tengah"

# The office's name, its abbreviation and its field of government: urusan 9 does not exist in the national list.
OFFICES = (
    ("DINAS PEKERJAAN UMUM REKAAN", "DPUR", "9.03"),
    ("DINAS PENDIDIKAN REKAAN", "DISDIKREK", "9.01"),
    ("DINAS KESEHATAN REKAAN", "DINKESREK", "9.02"),
    ("SEKRETARIAT DAERAH REKAAN", "SETDAREK", "9.11"),
    ("DINAS PERUMAHAN REKAAN", "DISPERREK", "9.04"),
    ("BADAN PENDAPATAN REKAAN", "BAPENREK", "9.12"),
    ("RUMAH SAKIT UMUM REKAAN", "RSUREK", "9.02"),
    ("DINAS PERTANIAN REKAAN", "DISTANREK", "9.27"),
    ("DINAS LINGKUNGAN HIDUP REKAAN", "DLHREK", "9.21"),
    ("DINAS KEPENDUDUKAN REKAAN", "DISDUKREK", "9.22"),
    ("SEKRETARIAT DPRD REKAAN", "SETWANREK", "9.13"),
    ("DINAS SOSIAL REKAAN", "DINSOSREK", "9.06"),
    ("DINAS PERHUBUNGAN REKAAN", "DISHUBREK", "9.25"),
    ("BADAN PERENCANAAN REKAAN", "BAPPEREK", "9.14"),
    ("DINAS KOMUNIKASI REKAAN", "KOMINFOREK", "9.26"),
    ("DINAS PERDAGANGAN REKAAN", "DISDAGREK", "9.30"),
    ("BADAN KEPEGAWAIAN REKAAN", "BKREK", "9.15"),
    ("DINAS PERPUSTAKAAN REKAAN", "PUSREK", "9.28"),
    ("DINAS PARIWISATA REKAAN", "DISPARREK", "9.29"),
    ("BADAN PENANGGULANGAN BENCANA REKAAN", "BPBREK", "9.05"),
)

VILLAGE_FIRST = (
    "Tirta",
    "Karang",
    "Suka",
    "Banyu",
    "Wana",
    "Sumber",
    "Rawa",
    "Gunung",
    "Pasir",
    "Muara",
    "Bumi",
    "Sido",
)
VILLAGE_LAST = ("semu", "khayal", "reka", "umpama", "andai", "maya", "tamsil", "kelana", "mimpi", "bayang")

FIRM_FORMS = (
    # Prefix of the name, bentuk_usaha_penyedia, weight.
    ("CV.", "Persekutuan Komanditer (CV / Commanditer Venoscha)", 61),
    ("PT", "Perseroan Terbatas (PT)", 26),
    ("PT.", "Perseroan Terbatas (PT)", 4),
    ("FA", "Persekutuan Firma (FA / Venootschap Onder Firma)", 1),
    ("PT", "Perseroan Terbatas (PT) Perorangan", 1),
)
FIRM_FIRST = ("KHAYAL", "SEMU", "REKAAN", "TAMSIL", "UMPAMA", "MAYA", "ANDAI", "MIMPI", "BAYANG", "CONTOH")
FIRM_SECOND = (
    "KARYA",
    "RIMBA",
    "LENTERA",
    "SAMUDRA",
    "PELITA",
    "BATU",
    "CAKRA",
    "PUSPA",
    "GARUDA",
    "MENTARI",
    "BAJA",
    "TANI",
)
FIRM_THIRD = ("", "ABADI", "UTAMA", "SEJATI", "NUSA", "PRIMA", "PERKASA", "LESTARI")

WORKS = (
    "Pembangunan Jalan Lingkungan Desa {}",
    "Rehabilitasi Jembatan {}",
    "Peningkatan Jalan Ruas {} - Lapis Aspal",
    "Pembangunan Saluran Drainase {}",
    "Rehabilitasi Ruang Kelas SD {}",
    "Pembangunan TPT Desa {}",
)
GOODS = (
    "Belanja Alat Tulis Rekaan",
    "Pengadaan Komputer/Laptop Khayal",
    "Belanja Cetak Umpama",
    "Pengadaan Obat-Obatan Puskesmas {}",
    "Belanja Makan dan Minum Rapat Rekaan",
    "Pengadaan Meubelair SD {}",
)
CONSULTING = (
    "Perencanaan Jalan Desa {}",
    "Pengawasan Pembangunan Gedung {}",
    "Penyusunan Dokumen Kajian {}",
    "DED Jembatan {}",
)
SERVICES = (
    "Jasa Kebersihan Kantor {}",
    "Sewa Kendaraan Tamsil",
    "Belanja Pemeliharaan Gedung {}",
    "Jasa Keamanan Kantor {}",
)
SELF_MANAGED = (
    "Pelatihan Kelompok Tani {}",
    "Sosialisasi Pelayanan Desa {}",
    "Perjalanan Dinas Rekaan",
    "Pendataan Warga Kecamatan {}",
    "Honorarium Tim Rekaan",
)
PROGRAMS = ("PROGRAM PENUNJANG URUSAN REKAAN", "PROGRAM PELAYANAN KHAYAL", "PROGRAM PENGELOLAAN SARANA UMPAMA")
ACTIVITIES = ("Administrasi Keuangan Perangkat Rekaan", "Pengelolaan Sarana Khayal", "Pelayanan Warga Umpama")
SUB_ACTIVITIES = (
    "Penyediaan Peralatan Rekaan",
    "Pembangunan Prasarana Khayal",
    "Pemeliharaan Bangunan Umpama",
    "Koordinasi dan Penyusunan Dokumen Tamsil",
    "Pembinaan Kelompok Maya",
)

# Names of SPSE's stages; codes of our own.
TENDER_STAGES = (
    "Pengumuman pascakualifikasi",
    "Download dokumen pemilihan dan kualifikasi",
    "Penjelasan dokumen lelang",
    "Upload Dokumen Penawaran",
    "Pembukaan file dokumen penawaran  (dokumen penawaran harga, administrasi dan teknis) serta dokumen kualifikasi",
    None,
    "Pembuktian kualifikasi",
    "Penetapan pemenang",
    "Pengumuman pemenang",
    "Masa Sanggah Hasil Lelang",
    "Surat penunjukan penyedia barang/jasa",
    "Penandatanganan  kontrak",
)
SELECTION_STAGES = (
    "Pengumuman prakualifikasi",
    "Download dokumen prakualifikasi",
    "Penjelasan Dokumen Prakualifikasi",
    "Upload dokumen prakualifikasi",
    "Evaluasi dokumen kualifikasi dan pembuktian kualifikasi",
    "Pembuktian kualifikasi",
    "Penetapan Hasil Kualifikasi",
    None,
    "Masa sanggah prakualifikasi",
    "Penjelasan dokumen lelang",
    "Penjelasan",
    "Upload Dokumen Penawaran",
    "Pembukaan dan evaluasi penawaran file I",
    "Pemberitahuan/pengumuman peringkat teknis",
    "Pembukaan dan evaluasi penawaran file II",
    "Penetapan pemenang",
    "Pengumuman pemenang",
    "Masa Sanggah Hasil Lelang",
    "Klarifikasi dan negosiasi teknis dan biaya",
    "Surat penunjukan penyedia barang/jasa",
    "Penandatanganan  kontrak",
)
NON_TENDER_STAGES = (
    "Upload Dokumen Penawaran",
    "Pembukaan Dokumen Penawaran",
    "Evaluasi Penawaran",
    "Klarifikasi Teknis dan Negosiasi",
    "Penandatanganan Kontrak",
)

BANKS = ("Bank Rekaan", "BANK KHAYAL", "Bank Umpama Cabang Rekajaya")
POSITIONS = ("Kepala Bidang Rekaan", "Kepala Bagian Umum", "Kepala UPTD Khayal", "PPK", "KEPALA BAGIAN TAMSIL")
