/// Fields of the sinkhole's part, in the order of docs/data-dictionary.md.
extension JSONWriter {
  mutating func sinkholeFields(_ s: SinkholeSummary) {
    key("segments")
    value(s.segments)
    key("segments_verified")
    value(s.segmentsVerified)
    key("segments_open")
    value(s.segmentsOpen)
    key("records")
    value(s.records)
    key("samples")
    value(s.samples)
    key("kernel_drops")
    value(s.kernelDrops)
    key("records_lost")
    value(s.recordsLost)
    key("clock_steps")
    value(s.clockSteps)
    key("dns_queries")
    value(s.dnsQueries)
    key("resolvers")
    value(s.resolvers)
    key("sightings_refused")
    value(s.refused)
    key("as_of")
    value(s.asOf)
    key("rule_versions")
    beginArray()
    for version in s.ruleVersions.sorted() { value(Int(version)) }
    endArray()
    key("networks_origin")
    value(s.networksOrigin)
  }

  mutating func sinkholeBotnetFields(_ botnet: SinkholeSummary.Botnet) {
    key("botnet")
    value(botnet.name)
    key("networks")
    value(botnet.networks)
    key("identities")
    value(botnet.identities)
    sourceFields(botnet.sources)
  }

  mutating func sinkholeNetworkFields(_ row: SinkholeSummary.Row) {
    key("botnet")
    value(row.botnet)
    key("prefix")
    value(row.prefix.description)
    key("asn")
    value(row.system.map { Int($0) })
    key("as_name")
    value(row.systemName)
    key("country")
    value(row.country)
    sourceFields(row.sources)
  }

  private mutating func sourceFields(_ counts: SinkholeSummary.SourceCounts) {
    key("sources_recognised")
    value(counts.infected)
    key("address_days")
    value(counts.addressDays)
    key("weight")
    value(counts.weight)
    key("sources_expired")
    value(counts.expired)
    key("expires")
    value(counts.expires)
    key("sources_by_level")
    beginObject()
    for level in EvidenceLevel.allCases {
      key(text: level.name)
      value(counts.byLevel[Int(level.rawValue)])
    }
    endObject()
    key("visitors")
    beginObject()
    for kind in VisitorClass.allCases {
      key(text: kind.name)
      value(counts.visitors[kind] ?? 0)
    }
    endObject()
    key("messages")
    value(counts.messages)
    key("first")
    value(counts.first)
    key("last")
    value(counts.last)
    key("ports")
    beginArray()
    for port in counts.ports { value(Int(port)) }
    endArray()
    key("sampling_factor")
    value(Int(counts.factor))
  }
}
