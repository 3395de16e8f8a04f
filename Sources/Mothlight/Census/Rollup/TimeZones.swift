/// The standard time of the zone in which most people of a country live (IANA time zone database, 2026), rounded down to hours.
///
/// Good enough to know when a country sleeps. Summer time is left out, and large countries have several zones: an hour or two off.
enum TimeZones {
  private static let countries: [(Int8, String)] = [
    (-8, "PN"), (-6, "BZ CR GT HN MX NI SV US"), (-5, "BS CA CO CU EC HT JM KY PA PE TC"),
    (-4, "AG AI AW BB BL BM BO BQ CW DM DO FK GD GP GY KN LC MF MQ MS PR SX TT VC VE VG VI"),
    (-3, "AR BR CL GF PM PY SR UY"), (-2, "GL"), (-1, "CV"),
    (0, "BF CI EH FO GB GG GH GM GN GW IE IM IS JE LR ML MR PT SH SL SN ST TG"),
    (
      1,
      "AD AL AO AT BA BE BJ CD CF CG CH CM CZ DE DK DZ ES FR GA GI GQ HR HU IT LI LU MA MC ME MK MT NE NG NL NO PL RS SE "
        + "SI SJ SK SM TD TN VA XK"
    ),
    (2, "AX BG BI BW CY EE EG FI GR IL LB LS LT LV LY MD MW MZ NA PS RO RW SD SS SZ UA ZA ZM ZW"),
    (3, "BH BY DJ ER ET IQ IR JO KE KM KW MG QA RU SA SO SY TR TZ UG YE YT"), (4, "AE AF AM AZ GE MU OM RE SC"),
    (5, "IN KZ LK MV NP PK TF TJ TM UZ"), (6, "BD BT IO KG MM"), (7, "CX ID KH LA TH VN"),
    (8, "BN CN HK MN MO MY PH SG TW"), (9, "JP KP KR PW TL"), (10, "AU FM GU MP PG"), (11, "NC NF SB VU"),
    (12, "FJ KI MH NR NZ TV WF"), (13, "TO WS TK"), (-10, "CK PF"), (-11, "AS NU"),
  ]

  private static let table: [CountryCode: Int8] = {
    var table: [CountryCode: Int8] = [:]
    for (hours, codes) in countries {
      for code in codes.split(separator: " ") { table[CountryCode(code)] = hours }
    }
    return table
  }()

  /// 0 for a country that is not known.
  static func hoursEast(of country: CountryCode) -> Int8 { table[country] ?? 0 }
}
