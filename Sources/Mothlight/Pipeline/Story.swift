/// The findings of one host and day read as what an infection does: touched, fetched, called home, attacked out.
///
/// Steps of different kinds in the right order say more than the same steps apart (Gu et al., BotHunter, USENIX Security 2007:
/// two outbound signs of one dialog). Order can only add to evidence that is nearly enough by itself.
struct Story: Sendable {
  private(set) var steps: [StoryStep] = []
  /// Log-odds added to the second family of evidence.
  private(set) var bonus = 0.0
  /// The kinds of evidence that the steps rest on, each once.
  private(set) var families: Set<EvidenceFamily> = []

  /// A weaker finding is no step: any desktop has a few.
  static let stepLeast = 2.0
  /// ln e: order is worth as much as the step from 1 in 10 to 1 in 4.
  static let orderBonus = 1.0
  /// For a third step, and for having been touched before.
  static let furtherBonus = 0.5
  /// Records are stamped by their beginning, and timers begin before they are noticed.
  private static let toleranceSeconds = 900.0

  init(_ findings: [Finding], stages: [String: DetectorCard.Stage]) {
    var byStage: [DetectorCard.Stage: Finding] = [:]
    for finding in findings {
      guard let stage = stages[finding.detector], stage == .touched || finding.logOdds >= Self.stepLeast else {
        continue
      }
      if let known = byStage[stage], (known.logOdds, finding.id) >= (finding.logOdds, known.id) { continue }
      byStage[stage] = finding
    }
    let outbound = byStage.filter { $0.key != .touched }
    families = Set(outbound.values.map(\.family))
    guard outbound.count >= 2 || (outbound.count == 1 && byStage.count == 2) else { return }
    let told = byStage.sorted { ($0.value.first, $0.key) < ($1.value.first, $1.key) }
    steps = told.map {
      StoryStep(time: $0.value.first, stage: $0.key, detector: $0.value.detector, text: $0.value.summary)
    }
    // Evidence of one kind from one place is one thing seen twice.
    guard outbound.count >= 2, families.count >= 2 else { return }
    let ordered = byStage.sorted { $0.key < $1.key }.map(\.value.first)
    guard zip(ordered, ordered.dropFirst()).allSatisfy({ $1.seconds(since: $0) >= -Self.toleranceSeconds }) else {
      return
    }
    bonus = Self.orderBonus + Self.furtherBonus * Double(byStage.count - 2)
  }
}

/// One sentence of a host's story.
public struct StoryStep: Sendable, Hashable {
  public var time: Timestamp
  public var stage: DetectorCard.Stage
  public var detector: String
  /// The finding's summary, without its subject.
  public var text: String

  public init(time: Timestamp, stage: DetectorCard.Stage, detector: String, text: String) {
    self.time = time
    self.stage = stage
    self.detector = detector
    self.text = text
  }

  /// `it called home: began 40 connections to …`
  public var sentence: String {
    switch stage {
    case .touched: "others reached in: it \(text)"
    case .fetched: "it fetched a program: \(text)"
    case .calledHome: "it called home: \(text)"
    case .attackedOut: "it turned on others: \(text)"
    }
  }
}
