import Mothlight

/// `zones.yaml`: orders with their names, and what of it could not be taken.
public struct ZoneFile: Sendable {
  /// A line that cannot be served, with its reason.
  public struct Problem: Error, Sendable, Equatable, CustomStringConvertible {
    public var path: String
    public var line: Int
    public var reason: String

    public init(_ path: String, _ line: Int, _ reason: String) {
      self.path = path
      self.line = line
      self.reason = reason
    }

    public var description: String { "\(path):\(line): \(reason)" }
  }

  enum Bound {
    /// Orders of a file: they are written by hand.
    static let orders = 4096
    /// Names that stand in the file itself; more belong in a `zones_file`.
    static let names = 4096
    /// Problems told in full; the rest is counted.
    static let problems = 20
    /// Octets of the file; it is read strictly, line by line.
    static let octets = StrictYAML.Bound.octets
  }

  public internal(set) var path: String
  public internal(set) var orders: [SeizureOrder] = []
  /// What was passed over: orders without authority, names that are none. The first twenty.
  public internal(set) var problems: [Problem] = []
  public internal(set) var problemCount = 0
  var names = NameList()

  /// Names as they were written, those given twice included.
  public var nameCount: Int { names.count }

  /// Reads the file and the lists that it names, which are looked for beside it.
  ///
  /// What is wrong with one order or one name is in `problems`, and the rest is taken.
  /// - Throws: `Problem` when the file as a whole cannot be understood.
  public static func read(_ path: String) throws(Problem) -> ZoneFile {
    let octets = try FileOctets.read(path, most: Bound.octets)
    return try read(octets, path: path)
  }

  /// - Parameter path: only for messages, and to find lists beside it.
  public static func read(_ octets: [UInt8], path: String) throws(Problem) -> ZoneFile {
    do throws(YAMLNode.Problem) {
      var file = ZoneFile(path: path)
      let root = try StrictYAML.read(octets)
      var fields = try YAMLFields(root, "the file")
      let orders = try YAMLFields.list(try fields.required("orders"), "orders", most: Bound.orders)
      try fields.finish()
      for node in orders { try file.add(node) }
      return file
    } catch {
      throw Problem(path, error.line, error.message)
    }
  }

  mutating func note(_ problem: Problem) {
    problemCount += 1
    if problems.count < Bound.problems { problems.append(problem) }
  }

  /// Takes one order, or notes why not. A name is never served for an order that is not understood.
  private mutating func add(_ node: YAMLNode) throws(YAMLNode.Problem) {
    let parts: OrderDecoder
    do throws(YAMLNode.Problem) {
      parts = try OrderDecoder(node)
    } catch {
      note(Problem(path, error.line, "\(error.message); this order is not served"))
      return
    }
    let number = orders.count
    let before = (names: names.count, problems: problemCount)
    for item in parts.zones {
      guard case .text(let text) = item.value else {
        note(Problem(path, item.line, "a zone that is not a name"))
        continue
      }
      take(text, order: number, Problem(path, item.line, ""))
    }
    if let list = parts.list { readList(list, order: number) }
    if names.count == before.names, problemCount == before.problems {
      note(Problem(path, node.line, "this order names no zones"))
    }
    orders.append(parts.order)
  }

  private mutating func take(_ text: String, order: Int, _ place: Problem) {
    do throws(DomainName.Refusal) {
      try Array(text.utf8).withUnsafeBufferPointer { bytes throws(DomainName.Refusal) in
        try names.append(UnsafeRawBufferPointer(bytes), order: order)
      }
    } catch {
      note(Problem(place.path, place.line, "'\(VisibleText.escaped(text))' \(error.description)"))
    }
  }

  /// One name a line; `#` begins a remark.
  private mutating func readList(_ list: OrderDecoder.List, order: Int) {
    let listPath = FileOctets.beside(path, list.path)
    do throws(Problem) {
      names.reserve(octets: try FileOctets.size(listPath) / 8 * 9)
      try FileOctets.lines(listPath) { line, number in
        var (start, end) = (0, line.count)
        while start < end, line[start] == 0x20 || line[start] == 0x09 { start &+= 1 }
        while end > start, line[end &- 1] <= 0x20 { end &-= 1 }
        guard start < end, line[start] != 0x23 else { return }
        let name = UnsafeRawBufferPointer(rebasing: line[start..<end])
        do throws(DomainName.Refusal) {
          try names.append(name, order: order)
        } catch {
          let text = VisibleText.escaped(String(decoding: name.prefix(80), as: UTF8.self))
          note(Problem(listPath, number, "'\(text)' \(error.description)"))
        }
      }
    } catch {
      note(Problem(path, list.line, error.reason))
    }
  }
}
