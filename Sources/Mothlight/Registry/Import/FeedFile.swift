#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// One file from a source, told by its content and never by its name.
public enum FeedFile {
  private enum Bound {
    /// Octets of a file: the full exports of the feeds stay below it unpacked.
    static let octets = 512 << 20
  }

  /// Reads a file. Nothing is fetched: the file was fetched by somebody who looked at its licence.
  /// - Parameters:
  ///   - source: overrides the format's own name for where this comes from.
  ///   - date: of the file, for what carries no date of its own.
  /// - Throws: `ConfigurationError` with the path when nothing in it can be used.
  public static func read(_ path: String, source: String? = nil, date: Timestamp) throws(ConfigurationError)
    -> RegistryImport
  {
    try parse(try octets(path), path: path, source: source, date: date)
  }

  public static func parse(_ octets: [UInt8], path: String, source: String? = nil, date: Timestamp)
    throws(ConfigurationError) -> RegistryImport
  {
    let bytes = octets.starts(with: [0xef, 0xbb, 0xbf]) ? Array(octets.dropFirst(3)) : octets
    if bytes.starts(with: [0x1f, 0x8b]) || bytes.starts(with: [0x50, 0x4b, 3, 4])
      || bytes.starts(with: [0x28, 0xb5, 0x2f])
    {
      throw ConfigurationError("\(path): is packed (gzip, zip or zstd); unpack it first")
    }
    guard let first = bytes.first(where: { $0 > 0x20 }) else { throw ConfigurationError("\(path): is empty") }
    let isJSON = first == 0x7b || first == 0x5b
    let result =
      isJSON
      ? try json(bytes, path: path, source: source, date: date) : try csv(bytes, path: path, source: source, date: date)
    guard !result.isEmpty || result.firstProblem == nil else {
      throw ConfigurationError(result.complaint ?? "\(path): nothing usable")
    }
    return result
  }

  private static let known =
    "none of the known formats: MISP galaxy cluster, Feodo Tracker, ThreatFox, URLhaus, SSLBL, mothlight census"

  // MARK: JSON

  private static func json(_ bytes: [UInt8], path: String, source: String?, date: Timestamp) throws(ConfigurationError)
    -> RegistryImport
  {
    let (tree, damage) = JSONTreeParser.parse(bytes)
    func foreign() -> ConfigurationError {
      ConfigurationError("\(path):\(damage?.line ?? 1): \(damage.map { "damaged JSON: \($0.what)" } ?? known)")
    }
    guard let tree else { throw foreign() }
    func result(_ format: RegistryImport.Format) -> RegistryImport {
      RegistryImport(path: path, format: format, source: source ?? format.source)
    }
    var out: RegistryImport
    if GalaxyShape.recognise(tree) {
      let type = tree["type"]?.string.map { "/\($0.prefix(40))" } ?? ""
      out = RegistryImport(path: path, format: .galaxy, source: source ?? "misp/galaxy\(type)")
      GalaxyShape.read(tree, into: &out)
    } else if CensusShape.recognise(tree) {
      out = result(.census)
      CensusShape.read(tree, into: &out, origin: Origin(source: out.source, date: date))
    } else {
      let rows = rows(of: tree)
      guard let sample = rows.first(where: { $0.value.members != nil }),
        let format = FeedShape.recognise(Set(sample.value.members?.all.map { $0.name.lowercased() } ?? []))
      else {
        if damage == nil, isEmptyFeed(tree) { throw ConfigurationError("\(path):1: a feed without rows") }
        throw foreign()
      }
      out = result(format)
      let origin = Origin(source: out.source, date: date)
      for (id, value) in rows {
        guard let members = value.members else {
          out.read += 1
          out.skip(line: out.firstProblem?.line ?? 1, "a row that is no object")
          continue
        }
        add(FeedRow(members, id: id), to: &out, origin)
      }
    }
    if let damage {
      out.firstProblem = out.firstProblem ?? TextDamage(line: damage.line, what: "damaged JSON: \(damage.what)")
    }
    return out
  }

  private static func isEmptyFeed(_ tree: JSONTree) -> Bool {
    if case .array(let items) = tree { return items.isEmpty }
    return tree["query_status"] != nil
  }

  /// Rows in a list, under `data` or `urls`, or as lists under their numbers.
  private static func rows(of tree: JSONTree) -> [(id: String?, value: JSONTree)] {
    switch tree {
    case .array(let items): return items.map { (nil, $0) }
    case .object(let members):
      if let items = members["data"]?.array ?? members["urls"]?.array { return items.map { (nil, $0) } }
      return members.all.flatMap { member -> [(id: String?, value: JSONTree)] in
        guard let items = member.value.array else { return [] }
        return items.map { (member.name, $0) }
      }
    default: return []
    }
  }

  // MARK: CSV

  private static func csv(_ bytes: [UInt8], path: String, source: String?, date: Timestamp) throws(ConfigurationError)
    -> RegistryImport
  {
    var lines = CSVLines(bytes)
    var names: [String] = []
    var out: RegistryImport?
    var firstLine: Int?
    while let line = lines.next() {
      switch line {
      case .remark(let text, _):
        // The line of columns is the last remark that names some.
        if out == nil, let (format, columns) = header(text) {
          names = columns
          out = RegistryImport(path: path, format: format, source: source ?? format.source)
        }
      case .fields(let fields, let number):
        firstLine = firstLine ?? number
        guard var result = out else {
          guard let (format, columns) = header(fields) else {
            throw ConfigurationError("\(path):\(number): \(known) (no line that names their columns)")
          }
          names = columns
          out = RegistryImport(path: path, format: format, source: source ?? format.source)
          continue
        }
        if fields.count < 2 || fields.count > names.count + 8 {
          result.read += 1
          result.skip(line: number, "\(fields.count) fields where \(names.count) columns are")
        } else {
          out = nil
          add(
            FeedRow(line: number, names: names, values: fields), to: &result, Origin(source: result.source, date: date))
        }
        out = result
      case .damaged(let damage):
        guard out != nil else { throw ConfigurationError("\(path):\(damage.line): \(damage.what); \(known)") }
        out?.read += 1
        out?.skip(line: damage.line, damage.what)
      }
    }
    guard let out else {
      throw ConfigurationError("\(path):\(firstLine ?? 1): \(known) (no line that names their columns)")
    }
    return out
  }

  private static func header(_ text: String) -> (RegistryImport.Format, [String])? {
    let trimmed = Array(text.drop { $0 == "#" || $0 == " " }.utf8)
    return CSVLines.fields(trimmed[...]).flatMap { header($0) }
  }

  private static func header(_ fields: [String]) -> (RegistryImport.Format, [String])? {
    let names = fields.map { FeedShape.trimmed($0[...]).lowercased() }
    return FeedShape.recognise(Set(names)).map { ($0, names) }
  }

  private static func add(_ row: FeedRow, to out: inout RegistryImport, _ origin: Origin) {
    out.read += 1
    do throws(FeedRow.Problem) {
      out.rows.append(try FeedShape.row(row, out.format, origin))
    } catch { out.skip(line: row.line, error.what) }
  }

  /// Octets of a file, or of standard input for `-`.
  static func octets(_ path: String) throws(ConfigurationError) -> [UInt8] {
    guard let file = path == "-" ? fdopen(dup(0), "rb") : fopen(path, "rb") else {
      throw ConfigurationError("\(path): \(String(cString: strerror(errno)))")
    }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 1 << 18)
    while true {
      let count = fread(&block, 1, block.count, file)
      guard count > 0 else { break }
      bytes += block[..<count]
      guard bytes.count <= Bound.octets else {
        throw ConfigurationError("\(path): larger than \(Bound.octets >> 20) MiB; cut it into parts")
      }
    }
    guard ferror(file) == 0 else { throw ConfigurationError("\(path): \(String(cString: strerror(errno)))") }
    return bytes
  }
}
