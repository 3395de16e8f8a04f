/// Writes conversations as CTU's binetflow: Argus CSV with a `Label` column that holds the truth.
///
/// Octets are those on the link, Ethernet header included, as Argus counts. Long conversations stay one record.
final class BinetflowWriter: TrafficWriter {
  static let header =
    "StartTime,Dur,Proto,SrcAddr,Sport,Dir,DstAddr,Dport,State,sTos,dTos,TotPkts,TotBytes,SrcBytes,Label"
  private static let linkHeader = 14
  private let file: OutputFile
  private let epoch: Int64

  init(_ path: String, epoch: Int64) throws(SimulationError) {
    file = try OutputFile(path)
    self.epoch = epoch
    try file.append(Self.header + "\n")
  }

  func write(_ conversation: Conversation, _ summary: ConversationSummary) throws(SimulationError) {
    let isTCP = conversation.transport == .tcp
    let isTwoWay = summary.server.packets > 0
    let packets = summary.client.packets + summary.server.packets
    let clientOctets = summary.client.ipOctets + summary.client.packets * Self.linkHeader
    let octets = clientOctets + summary.server.ipOctets + summary.server.packets * Self.linkHeader
    let state =
      isTCP ? "\(Self.letters(summary.client.flags))_\(Self.letters(summary.server.flags))" : isTwoWay ? "CON" : "INT"
    let fields = [
      LogRow.argusTime(epoch + summary.first), LogRow.seconds(summary.last - summary.first),
      conversation.transport.description, conversation.client.description, String(conversation.clientPort),
      isTwoWay && !isTCP ? "  <->" : "   ->", conversation.server.description, String(conversation.serverPort), state,
      "0",
      isTwoWay ? "0" : "", String(packets), String(octets), String(clientOctets), conversation.label.text,
    ]
    try file.append(fields.joined(separator: ",") + "\n")
  }

  func finish() throws(SimulationError) { try file.close() }

  /// Argus's order of flags: FSRPA.
  private static func letters(_ flags: PlannedPacket.TCPFlags) -> String {
    let order: [(PlannedPacket.TCPFlags, String)] = [
      (.fin, "F"), (.syn, "S"), (.reset, "R"), (.push, "P"), (.ack, "A"),
    ]
    return order.filter { flags.contains($0.0) }.map(\.1).joined()
  }
}
