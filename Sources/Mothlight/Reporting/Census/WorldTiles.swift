/// The world as tiles of one kind, a country each, near where it lies: small countries are seen as well as large ones.
enum WorldTiles {
  struct Tile: Sendable, Hashable {
    var country: CountryCode
    var column: Int
    var row: Int
  }

  static let columns = 27
  static let rows = 18

  static let all: [Tile] = {
    var tiles: [Tile] = []
    for (row, line) in map.split(separator: "\n").enumerated() {
      for (column, code) in line.split(separator: " ").enumerated() where code != ".." {
        tiles.append(Tile(country: CountryCode(code), column: column, row: row))
      }
    }
    return tiles
  }()

  private static let map = """
    .. .. .. .. .. .. .. GL .. IS .. .. NO SE FI .. .. .. .. .. .. .. .. .. .. .. ..
    .. CA .. .. .. .. .. .. .. IE GB .. NL DK EE LV RU .. .. .. .. .. .. .. .. .. ..
    .. US .. .. .. .. .. .. .. .. .. BE DE PL LT BY .. .. KZ .. .. MN .. .. .. .. ..
    .. MX .. BS .. .. .. .. .. .. FR LU CZ SK UA MD .. .. UZ KG .. CN .. KP .. JP ..
    .. GT BZ CU HT DO PR .. .. .. CH LI AT HU RO .. GE .. TM TJ .. .. .. KR .. .. ..
    .. SV HN JM .. KN AG .. PT ES AD MC IT SI HR RS AM AZ AF .. NP BT MO HK TW .. ..
    .. NI .. .. VC DM LC .. .. .. .. SM VA BA ME BG TR IQ IR PK IN BD MM LA VN .. PH
    .. CR PA .. TT GD BB .. .. .. MT .. XK AL MK GR SY JO KW .. .. .. TH KH .. .. ..
    .. .. CO VE GY SR .. .. .. MA DZ TN LY EG CY LB IL SA BH QA LK .. .. MY BN .. ..
    .. .. EC .. BR GF .. CV .. EH MR ML NE TD SD ER PS YE OM AE MV .. .. SG ID TL PG
    .. .. PE BO .. .. .. .. SN GM BF NG CF SS ET DJ .. .. .. .. .. .. .. .. PW FM MH
    .. .. CL PY UY .. .. .. GW GN CI TG CM CG UG SO .. .. .. .. .. .. .. .. GU NR KI
    .. .. .. AR .. .. .. .. SL LR GH BJ GQ CD RW KE .. .. .. .. .. .. .. .. .. SB TV
    .. .. .. FK .. .. .. .. .. .. .. ST GA .. BI TZ .. SC .. .. .. .. .. .. .. VU WS
    .. .. .. .. .. .. .. .. .. .. .. .. AO ZM MW MZ .. KM .. .. .. .. .. AU NC FJ TO
    .. .. .. .. .. .. .. .. .. .. .. .. NA BW ZW .. MG MU RE .. .. .. .. .. NZ .. PF
    .. .. .. .. .. .. .. .. .. .. .. .. .. ZA SZ .. .. .. .. .. .. .. .. .. .. .. ..
    .. .. .. .. .. .. .. .. .. .. .. .. .. LS .. .. .. .. .. .. .. .. .. .. .. .. ..
    """
}
