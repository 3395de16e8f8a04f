/// Source addresses of a labelled binetflow by comparison window, sorted by what their labels say.
///
/// A label that contains `Botnet` makes the flow's source a botnet address of the window in which the flow begins, `Normal`
/// a normal one; botnet wins where both occur. Everything else is background. The source is the one that the row names,
/// also where Argus says that the other side began.
public struct LabelledSources: Sendable {
  public enum Kind: Sendable { case botnet, normal, background }

  /// Begin of the first window.
  public let start: Timestamp
  /// Addresses by window, counted from 0.
  public private(set) var botnet: [Int: Set<IPAddress>] = [:]
  public private(set) var normal: [Int: Set<IPAddress>] = [:]
  /// Sources inside the home network with a background label.
  private var background: Set<IPAddress> = []
  public private(set) var botnetFlows: UInt64 = 0
  public private(set) var normalFlows: UInt64 = 0
  public private(set) var backgroundFlows: UInt64 = 0
  /// Flows whose label says `To-Botnet` or `To-Normal`: their source is counted by the rule, though it is the other end.
  public private(set) var flowsTo: UInt64 = 0
  /// Flows that begin before `start` or beyond the bound on memory.
  public private(set) var leftOut: UInt64 = 0

  private let home: [Prefix]
  private var kept = 0
  private static let keptMost = 1 << 22

  /// - Parameter home: background hosts outside it are not counted.
  public init(start: Timestamp, home: [Prefix]) {
    self.start = start
    self.home = home
  }

  /// Number of the window in which `time` lies; negative before the first.
  public func window(of time: Timestamp) -> Int {
    Int(clamping: Int64((time.seconds(since: start) / Garcia2014.windowSeconds).rounded(.down)))
  }

  public mutating func add(time: Timestamp, source: IPAddress, label: UnsafeRawBufferPointer) {
    let window = window(of: time)
    guard window >= 0, kept < Self.keptMost else {
      leftOut &+= 1
      return
    }
    switch Self.kind(label) {
    case .botnet:
      botnetFlows &+= 1
      if Self.contains(label, "To-Botnet") { flowsTo &+= 1 }
      if botnet[window, default: []].insert(source).inserted { kept += 1 }
    case .normal:
      normalFlows &+= 1
      if Self.contains(label, "To-Normal") { flowsTo &+= 1 }
      if normal[window, default: []].insert(source).inserted { kept += 1 }
    case .background:
      backgroundFlows &+= 1
      guard home.contains(where: { $0.contains(source) }), source.isUnicastHost else { return }
      if background.insert(source).inserted { kept += 1 }
    }
  }

  static func kind(_ label: UnsafeRawBufferPointer) -> Kind {
    if contains(label, "Botnet") { return .botnet }
    return contains(label, "Normal") ? .normal : .background
  }

  private static func contains(_ text: UnsafeRawBufferPointer, _ word: StaticString) -> Bool {
    let length = word.utf8CodeUnitCount
    guard text.count >= length else { return false }
    return word.withUTF8Buffer { word in
      (0...(text.count - length)).contains { text[$0] == word[0] && text[$0..<($0 + length)].elementsEqual(word) }
    }
  }

  /// Sources of the home network that were never anything but background.
  public var backgroundHosts: Set<IPAddress> {
    background.subtracting(botnet.values.joined()).subtracting(normal.values.joined())
  }

  /// Reads the labels of a file once more, after its verdicts are made without them.
  /// - Throws: what the reader throws, or `unknownFormat` when the file is no binetflow.
  public static func read(path: String, start: Timestamp, home: [Prefix]) throws(SourceError) -> LabelledSources {
    guard let reader = try Inputs.open(path: path, index: 0) as? BinetflowReader else {
      throw SourceError(.unknownFormat, "\(path): is no binetflow file; only those carry the labels of this metric")
    }
    final class Box {
      var sources: LabelledSources
      init(_ sources: LabelledSources) { self.sources = sources }
    }
    let box = Box(LabelledSources(start: start, home: home))
    reader.onLabel = { flow, label in box.sources.add(time: flow.first, source: flow.source, label: label) }
    var batch: [Observation] = []
    do throws(SourceError) {
      while try reader.read(into: &batch, limit: Limits.batch) { batch.removeAll(keepingCapacity: true) }
    } catch {
      // A damaged end was told when the file was read for its verdicts; the labels before it count.
      if reader.summary.used == 0 { throw error }
    }
    return box.sources
  }
}
