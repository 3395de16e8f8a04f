/// Reads one log in blocks of lines, several at a time, and gives what is in them to the shards in the order of the log.
///
/// A block is read by what the log's header said in front of it. Where that turns out to be something else behind it (another
/// header, records without dates), the log's own reader takes it back, so that the outcome is always that of one reader.
struct BlockedRead {
  private let reader: any BlockReader
  private let octets: Int
  private let home: Home
  private let shards: Int
  private let memory = BlockPool()
  private var waiting: [(block: LogBlock, rows: Task<Rows?, Never>)] = []
  /// The reader goes on alone up to this line.
  private var aloneUntil: UInt64 = 0
  private(set) var givenBack = 0
  private(set) var blocksRead = 0

  /// Blocks that are read or wait for one that is: all cores have work while the oldest is handed on.
  private var waitingMost: Int { shards + 2 }

  private struct Rows: Sendable {
    var byShard: [OwnPart]
    var books: RecordTally.Part
  }

  init(_ reader: any BlockReader, home: Home, _ options: ReadOptions) {
    self.reader = reader
    self.home = home
    octets = options.blockOctets
    shards = options.shards
  }

  /// Reads as many blocks as there are; the reader itself is to read what comes then, before this is called again.
  mutating func run(into feed: inout Feed, _ progress: () -> Void) async {
    guard reader.lines.number >= aloneUntil, let layout = reader.layout else { return }
    while true {
      while waiting.count < waitingMost, let block = reader.lines.takeBlock(octets: octets, memory: memory) {
        let rows = Task { [index = reader.index, home, shards] in
          Self.read(block, layout, index: index, home: home, shards: shards)
        }
        waiting.append((block, rows))
      }
      guard !waiting.isEmpty else { return }
      let oldest = waiting.removeFirst()
      guard let rows = await oldest.rows.value else { return await giveBack(oldest.block) }
      blocksRead += 1
      reader.tally.add(rows.books)
      await feed.send(rows.byShard, home: home)
      progress()
    }
  }

  /// Returns this block and those behind it to the reader, who goes on alone the longer the more often it comes to this.
  private mutating func giveBack(_ block: LogBlock) async {
    for other in waiting {
      other.rows.cancel()
      _ = await other.rows.value
    }
    reader.lines.giveBack([block] + waiting.map(\.block))
    waiting.removeAll()
    givenBack += 1
    aloneUntil = block.linesBefore + UInt64(block.lines * givenBack)
  }

  /// - Returns: `nil` when the layout at the end of the block is another, or what was left out is to be counted in order.
  private static func read(
    _ block: LogBlock, _ layout: LogLayout, index: UInt32, home: Home, shards: Int
  ) -> Rows? {
    let reader = layout.reader(of: block, index: index)
    var batches: [[Observation]] = [[]]
    // A row is hardly shorter.
    batches[0].reserveCapacity(min(block.lines, block.bytes.count / 24))
    while !Task.isCancelled, (try? reader.read(into: &batches[0], limit: .max)) == true {}
    guard reader.layout == layout, !reader.tally.namesSkipped,
      reader.lines.number == block.linesBefore + UInt64(block.lines)
    else { return nil }
    let division = Division(&batches, shards: shards, home: home)
    let byShard = (0..<shards).map { OwnPart(division.part(of: $0, in: batches)) }
    return Rows(byShard: byShard, books: reader.tally.part)
  }
}
