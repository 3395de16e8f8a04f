/// One output format. Gets every conversation in order of start and, if it wants them, every packet in order of time.
protocol TrafficWriter: AnyObject {
  var wantsPackets: Bool { get }
  func write(_ conversation: Conversation, _ summary: ConversationSummary) throws(SimulationError)
  func write(_ packet: PlannedPacket, of conversation: Conversation) throws(SimulationError)
  func finish() throws(SimulationError)
}

extension TrafficWriter {
  var wantsPackets: Bool { false }
  func write(_ packet: PlannedPacket, of conversation: Conversation) throws(SimulationError) {}
}
