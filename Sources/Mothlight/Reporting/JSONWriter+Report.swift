/// The fields of `json` and `ndjson`, in the order of docs/data-dictionary.md. Every field is always there, `null` when unknown.
extension JSONWriter {
  mutating func runFields(_ report: Report, _ tally: ReportTally, _ marking: TLP) {
    key("schema_version")
    value(Report.schemaVersion)
    key("version")
    value(report.version)
    key("tlp")
    value(marking.rawValue)
    key("is_anonymised")
    value(report.isAnonymised)
    key("first")
    value(tally.first)
    key("last")
    value(tally.last)
    key("home")
    beginArray()
    for prefix in report.home { value(prefix.description) }
    endArray()
    key("home_was_given")
    value(report.homeWasGiven)
    key("family_bar")
    value(report.familyBar)
    key("hosts")
    value(tally.hosts)
    key("infected")
    value(tally.infected)
    key("suspicious")
    value(tally.suspicious)
    key("no_sign")
    value(tally.noSign)
    key("not_enough_data")
    value(tally.notEnoughData)
    key("finding_count")
    value(tally.findings)
    key("hidden_count")
    value(report.hidden.count)
    key("counters")
    counts(report.counters)
    key("state")
    if let state = report.state { self.state(state) } else { null() }
    key("warnings")
    strings(report.warnings)
  }

  private mutating func state(_ state: StateSummary) {
    beginObject()
    key("days")
    value(state.days)
    key("first")
    value(state.first)
    key("last")
    value(state.last)
    key("runs")
    value(state.runs)
    key("pairs")
    value(state.pairs)
    key("hosts")
    value(state.hosts)
    key("destinations")
    value(state.destinations)
    key("names")
    value(state.names)
    key("octets")
    value(state.octets)
    key("repeated_inputs")
    value(state.repeatedInputs)
    key("is_updated")
    value(state.isUpdated)
    key("evicted")
    counts(state.evicted)
    endObject()
  }

  mutating func inputFields(_ input: InputSummary, index: Int) {
    key("input")
    value(index)
    key("path")
    value(input.path)
    key("format")
    value(input.format)
    key("octets")
    value(input.octets)
    key("records")
    value(input.records)
    key("used")
    value(input.used)
    key("skipped")
    counts(input.skipped)
    key("unparsed")
    value(input.unparsed)
    key("first_unparsed")
    value(input.firstUnparsed)
    key("error_code")
    value(input.error?.code.rawValue)
    key("error_message")
    value(input.error?.message)
    key("warnings")
    strings(input.warnings)
    key("first")
    value(input.first)
    key("last")
    value(input.last)
    key("clock_is_relative")
    value(input.clockIsRelative)
    key("is_sampled")
    value(input.isSampled)
  }

  package mutating func hostFields(_ entry: HostDay) {
    key("host")
    value(entry.host)
    key("day")
    value(Timestamp.describe(day: entry.day))
    key("verdict")
    value(entry.verdict.rawValue)
    key("score")
    value(entry.score)
    key("reason")
    value(entry.reason)
    key("botnets")
    strings(entry.botnets)
    key("families")
    beginArray()
    for item in entry.families {
      beginObject()
      key("family")
      value(item.family.rawValue)
      key("log_odds")
      value(item.logOdds)
      endObject()
    }
    endArray()
    key("roles")
    strings(entry.roles.map(\.rawValue))
    key("caveats")
    strings(entry.caveats)
    key("story")
    beginArray()
    for step in entry.story {
      beginObject()
      key("time")
      value(step.time)
      key("stage")
      value(step.stage.rawValue)
      key("detector")
      value(step.detector)
      key("text")
      value(step.text)
      endObject()
    }
    endArray()
    key("activity")
    activity(entry.activity)
  }

  private mutating func activity(_ activity: HostActivity) {
    beginObject()
    key("first")
    value(activity.first)
    key("last")
    value(activity.last)
    key("flows")
    value(activity.flows)
    key("outbound_flows")
    value(activity.outboundFlows)
    key("answered_flows")
    value(activity.answeredFlows)
    key("octets_out")
    value(activity.octetsOut)
    key("octets_in")
    value(activity.octetsIn)
    key("dns_lookups")
    value(activity.dnsLookups)
    key("peers")
    value(UInt64(activity.peers))
    key("bins")
    array(activity.bins)
    key("top_peers")
    beginArray()
    for peer in activity.topPeers { topPeer(peer) }
    endArray()
    key("top_names")
    beginArray()
    for item in activity.topNames {
      beginObject()
      key("name")
      value(item.name)
      key("lookups")
      value(UInt64(item.lookups))
      key("failed")
      value(UInt64(item.failed))
      endObject()
    }
    endArray()
    endObject()
  }

  private mutating func topPeer(_ peer: PeerActivity) {
    beginObject()
    key("address")
    value(peer.address)
    key("name")
    value(peer.name)
    key("port")
    value(UInt64(peer.port))
    key("transport")
    value(peer.transport.description)
    key("flows")
    value(UInt64(peer.flows))
    key("octets")
    value(peer.octets)
    endObject()
  }

  package mutating func findingFields(_ finding: Finding, day: Int, hiddenBy rule: String?, inputs: [InputSummary]) {
    key("id")
    value(finding.id)
    key("host")
    value(finding.host)
    key("day")
    value(Timestamp.describe(day: day))
    key("detector")
    value(finding.detector)
    key("detector_version")
    value(finding.version)
    key("family")
    value(finding.family.rawValue)
    key("botnet")
    value(finding.botnet)
    key("subject")
    value(finding.subject)
    key("summary")
    value(finding.summary)
    key("first")
    value(finding.first)
    key("last")
    value(finding.last)
    key("log_odds")
    value(finding.logOdds)
    key("is_conclusive")
    value(finding.isConclusive)
    key("peer")
    value(finding.peer?.description)
    key("peer_name")
    value(finding.peerName)
    key("refuted_by")
    value(finding.refutedBy)
    key("hidden_by")
    value(rule)
    key("suppressions")
    beginArray()
    for item in finding.suppressions {
      beginObject()
      key("kind")
      value(item.kind.rawValue)
      key("nats")
      value(item.nats)
      key("because")
      value(item.because)
      endObject()
    }
    endArray()
    key("measures")
    beginArray()
    for measure in finding.measures { self.measure(measure) }
    endArray()
    key("series_name")
    value(finding.seriesName.isEmpty ? nil : finding.seriesName)
    key("series")
    beginArray()
    for number in finding.series { value(number) }
    endArray()
    key("evidence")
    beginArray()
    for flow in finding.evidence { evidence(flow, inputs) }
    endArray()
  }

  private mutating func measure(_ measure: Measure) {
    beginObject()
    key("name")
    value(measure.name)
    key("value")
    value(measure.value)
    key("unit")
    value(measure.unit)
    key("threshold")
    value(measure.threshold)
    key("comparison")
    value(measure.threshold == nil ? nil : measure.atLeast ? "at_least" : "at_most")
    key("is_met")
    if let met = measure.isMet { value(met) } else { null() }
    endObject()
  }

  private mutating func evidence(_ flow: EvidenceFlow, _ inputs: [InputSummary]) {
    beginObject()
    key("time")
    value(flow.time)
    key("source")
    value(flow.source)
    key("source_port")
    value(UInt64(flow.sourcePort))
    key("destination")
    value(flow.destination)
    key("destination_port")
    value(UInt64(flow.destinationPort))
    key("transport")
    value(flow.transport.description)
    key("octets")
    value(flow.octets)
    key("state")
    value(ReportWords.name(flow.state))
    key("community_id")
    value(flow.communityID)
    key("note")
    value(flow.note)
    key("input")
    value(UInt64(flow.origin.input))
    key("path")
    value(flow.origin.path(in: inputs))
    key("record")
    value(flow.origin.record)
    endObject()
  }

  package mutating func counts(_ counts: [String: UInt64]) {
    beginObject()
    for (name, count) in counts.sorted(by: { $0.key < $1.key }) {
      key(text: name)
      value(count)
    }
    endObject()
  }

  package mutating func strings(_ list: [String]) {
    beginArray()
    for text in list { value(text) }
    endArray()
  }
}

extension RecordOrigin {
  /// The input's path, or `nil` when the record stands in none of `inputs`.
  func path(in inputs: [InputSummary]) -> String? {
    guard let i = Int(exactly: input), inputs.indices.contains(i) else { return nil }
    return inputs[i].path
  }
}

extension Report {
  /// The report cut down to what `settings` asks for: one host when one is to be explained.
  func scoped(to settings: ExporterSettings) -> Report {
    guard let host = settings.explain else { return self }
    var copy = self
    copy.hosts = hosts.filter { $0.host == host }
    copy.hidden = hidden.filter { $0.finding.host == host }
    return copy
  }
}
