/// How much a nickname looks drawn from a kit's pattern, such as `[DEU|XP|028371]` or `n{US|W7}4411`.
///
/// Kits write where and on what machine the bot runs, and a number so that no two are alike.
struct IRCNick {
  var hasCountry = false
  var hasPlatform = false
  /// A run of at least five digits.
  var hasNumber = false
  /// Brackets, bars and the like that part its fields.
  var separators = 0

  /// A field of where or what, and two more signs.
  var isKitLike: Bool { (hasCountry || hasPlatform) && signs >= 3 }
  var signs: Int { (hasCountry ? 1 : 0) + (hasPlatform ? 1 : 0) + (hasNumber ? 1 : 0) + (separators >= 2 ? 1 : 0) }

  init(_ nick: String) {
    var field: [UInt8] = []
    var digits = 0
    for byte in nick.utf8.prefix(64) {
      let isDigit = byte >= 0x30 && byte <= 0x39
      digits = isDigit ? digits + 1 : 0
      if digits >= 5 { hasNumber = true }
      if isDigit || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a) {
        field.append(byte)
      } else {
        take(field)
        field = []
        if Self.isSeparator(byte) { separators += 1 }
      }
    }
    take(field)
  }

  /// The pattern without its numbers: kits give each machine, and each start, another number.
  static func pattern(_ nick: String) -> String {
    let bytes = Array(nick.utf8)
    return IRCConversation.shape(bytes.span.bytes)
  }

  private static func isSeparator(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x5b, 0x5d, 0x7b, 0x7d, 0x7c, 0x2d: true
    default: false
    }
  }

  private mutating func take(_ field: [UInt8]) {
    guard (2...8).contains(field.count) else { return }
    let text = String(decoding: field, as: UTF8.self)
    if Self.countries.contains(text) { hasCountry = true }
    if Self.platforms.contains(text.lowercased()) { hasPlatform = true }
  }

  /// ISO 3166-1 codes in capitals, as kits write them; two letters for all, three for the most seen.
  private static let countries = Set(
    """
    AD AE AF AG AI AL AM AO AR AT AU AW AZ BA BB BD BE BF BG BH BI BJ BM BN BO BR BS BT BW BY BZ CA CD CF CG CH CI CL CM
    CN CO CR CU CV CY CZ DE DJ DK DM DO DZ EC EE EG ER ES ET FI FJ FR GA GB GD GE GF GH GI GM GN GP GR GT GY HK HN HR HT
    HU ID IE IL IN IQ IR IS IT JM JO JP KE KG KH KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MG MK ML MM MN
    MO MQ MR MT MU MV MW MX MY MZ NA NE NG NI NL NO NP NZ OM PA PE PF PG PH PK PL PR PS PT PY QA RE RO RS RU RW SA SD SE
    SG SI SK SL SM SN SO SR SV SY SZ TD TG TH TJ TM TN TR TT TW TZ UA UG UK US UY UZ VE VN YE ZA ZM ZW
    ARG AUS AUT BEL BGR BRA CAN CHE CHL CHN COL CZE DEU DNK EGY ESP FIN FRA GBR GRC HRV HUN IDN IND IRL IRN IRQ ISR ITA
    JPN KOR KWT MAR MEX MYS NLD NOR NZL PAK PER PHL POL PRT ROU ROM RUS SAU SGP SRB SVK SVN SWE THA TUN TUR TWN UKR USA
    VEN VNM ZAF
    """.split(whereSeparator: \.isWhitespace).map(String.init))
  private static let platforms: Set<String> = [
    "xp", "2k", "2k3", "2k8", "w2k", "wxp", "win", "win7", "win8", "win10", "win11", "w7", "w8", "w10", "w11", "vis",
    "vista", "nt", "srv", "lnx", "linux", "unix", "bsd", "osx", "x86", "x64", "x32", "i386", "i586", "i686", "arm",
    "arm4", "arm5", "arm6", "arm7", "aarch64", "mips", "mipsel", "mpsl", "ppc", "sh4", "sparc", "spc", "m68k", "dlink",
    "router",
  ]
}
