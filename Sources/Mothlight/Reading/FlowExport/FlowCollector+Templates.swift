/// NetFlow v9 and IPFIX: templates, options, data, and data that came before its template.
extension FlowCollector {
  func message(
    _ bytes: RawSpan, _ format: ExportFormat, _ source: IPAddress, _ arrival: Int64
  ) throws(DecodeError) {
    var message = try ExportMessage(bytes, isIPFIX: format == .ipfix)
    let key = ExporterKey(address: source, domain: message.domain, format: format)
    guard let exporter = exporter(key, at: arrival) else { return }
    exporter.datagrams &+= 1
    var clock = message.clock
    exporter.time.note(&clock, at: arrival)
    var moment = Moment(clock: clock, offset: exporter.time.offset, arrival: arrival)
    let optionsBefore = counts.optionsRecords
    // `nil` once a set could not be read.
    var records: Int? = 0
    defer {
      let options = Int(clamping: counts.optionsRecords &- optionsBefore)
      exporter.sequence.note(message.sequence, .init(records: records, options: options))
    }
    do throws(DecodeError) {
      while let block = try message.nextSet() {
        let content = message.bytes.extracting(block.content)
        switch block.id {
        case message.isIPFIX ? 2 : 0: templates(content, exporter, isOptions: false, arrival)
        case message.isIPFIX ? 3 : 1: templates(content, exporter, isOptions: true, arrival)
        case 256...:
          // Options in the same message may have told it.
          if format == .ipfix { moment.clock.boot = exporter.boot }
          let count = data(block.id, content, exporter, moment)
          records = count.flatMap { count in records.map { $0 &+ count } }
        default: exporter.unparsed &+= 1
        }
      }
    } catch {
      exporter.unparsed &+= 1
      records = nil
      throw error
    }
    if message.isCut {
      exporter.unparsed &+= 1
      records = nil
      throw .truncated
    }
  }

  private func templates(_ set: RawSpan, _ exporter: ExporterState, isOptions: Bool, _ arrival: Int64) {
    let isIPFIX = exporter.key.format == .ipfix
    var walk = TemplateWalk(set, isOptions: isOptions, isIPFIX: isIPFIX, fieldsMost: settings.fieldsPerTemplate)
    do throws(DecodeError) {
      while let item = try walk.next() {
        switch item {
        case .template(let id, let fields, let isOptions): add(id, fields, isOptions: isOptions, exporter, arrival)
        case .withdrawal(let id): withdraw(id, exporter)
        case .tooLong: refuse(exporter)
        }
      }
    } catch {
      counts.unparsed &+= 1
      exporter.unparsed &+= 1
    }
  }

  private func refuse(_ exporter: ExporterState) {
    counts.templatesRefused &+= 1
    exporter.templatesRefused &+= 1
  }

  private func add(
    _ id: UInt16, _ fields: [ExportTemplate.Field], isOptions: Bool, _ exporter: ExporterState, _ arrival: Int64
  ) {
    guard !exporter.templates.isKnown(id, fields, isOptions: isOptions, at: arrival) else { return }
    let isIPFIX = exporter.key.format == .ipfix
    guard let template = ExportTemplate(fields, isOptions: isOptions, isIPFIX: isIPFIX, at: arrival) else {
      counts.unparsed &+= 1
      exporter.unparsed &+= 1
      return
    }
    guard fieldCount + fields.count <= settings.fieldsMost else { return refuse(exporter) }
    let before = exporter.templates.fieldCount
    switch exporter.templates.add(id, template) {
    case .new: counts.templates &+= 1
    case .changed: counts.templatesChanged &+= 1
    case .pushedOut:
      counts.templates &+= 1
      counts.templatesPushedOut &+= 1
    case .same: break
    case .refused: return refuse(exporter)
    }
    fieldCount += exporter.templates.fieldCount - before
    release(id, template, exporter)
  }

  private func withdraw(_ id: UInt16, _ exporter: ExporterState) {
    let before = exporter.templates.fieldCount
    counts.templatesWithdrawn &+= 1
    if id == 2 || id == 3 {
      exporter.templates.removeAll(isOptions: id == 3)
    } else {
      exporter.templates.remove(id)
    }
    fieldCount += exporter.templates.fieldCount - before
  }

  /// Reads a data set, or keeps it back; the number of its records, `nil` when that is not known.
  private func data(_ id: UInt16, _ set: RawSpan, _ exporter: ExporterState, _ moment: Moment) -> Int? {
    guard let template = exporter.templates[id] else {
      hold(id, set, exporter, moment)
      return nil
    }
    template.isUsed = true
    template.lastUse = max(template.lastUse, moment.arrival)
    return template.isVariable
      ? variableRecords(set, template, exporter, moment) : fixedRecords(set, template, exporter, moment)
  }

  private func fixedRecords(
    _ set: RawSpan, _ template: ExportTemplate, _ exporter: ExporterState, _ moment: Moment
  ) -> Int {
    let octets = template.recordOctets
    let steps = template.steps
    var at = 0
    var count = 0
    while set.byteCount &- at >= octets {
      var record = ExportedRecord()
      steps.withUnsafeBufferPointer { steps in
        for step in steps {
          record.set(step.element, set, at: at &+ Int(step.offset), length: Int(step.length), moment.clock)
        }
      }
      finish(&record, template, exporter, moment)
      at &+= octets
      count &+= 1
    }
    return count
  }

  /// RFC 7011 section 7: a length of one octet, or 255 and two more.
  private func variableRecords(
    _ set: RawSpan, _ template: ExportTemplate, _ exporter: ExporterState, _ moment: Moment
  ) -> Int? {
    var cursor = WireCursor(set)
    var count = 0
    do throws(DecodeError) {
      while cursor.remaining >= template.recordOctets {
        var record = ExportedRecord()
        for (n, field) in template.fields.enumerated() {
          var length = Int(field.length)
          if field.length == ExportTemplate.variable {
            length = Int(try cursor.u8())
            if length == 255 { length = Int(try cursor.u16()) }
          }
          let at = cursor.offset
          try cursor.skip(length)
          let element =
            field.length == ExportTemplate.variable
            ? ExportElement(
              field.id, enterprise: field.enterprise, length: UInt16(clamping: length), isScope: field.isScope)
            : template.elements[n]
          record.set(element, set, at: at, length: length, moment.clock)
        }
        finish(&record, template, exporter, moment)
        count &+= 1
      }
      return count
    } catch {
      counts.unparsed &+= 1
      exporter.unparsed &+= 1
      return nil
    }
  }

  @inline(__always)
  private func finish(
    _ record: inout ExportedRecord, _ template: ExportTemplate, _ exporter: ExporterState, _ moment: Moment
  ) {
    if template.isOptions {
      options(record, exporter)
    } else {
      take(&record, exporter, moment)
    }
  }

  /// What an exporter says of itself: how it samples (RFC 3954 section 6.1, RFC 5477 section 8), when it started.
  private func options(_ record: ExportedRecord, _ exporter: ExporterState) {
    counts.optionsRecords &+= 1
    if record.sampling.isSaid {
      let sampler = record.has.contains(.sampler) ? record.sampler : nil
      exporter.sampling.set(record.sampling.oneIn, sampler: sampler)
    }
    if record.has.contains(.boot) { exporter.boot = ExportClock.nanoseconds(milliseconds: record.bootMilliseconds) }
  }

  // MARK: Data before its template

  /// Longest that data waits for its template: the usual refresh is 1 to 10 minutes, of some routers 30.
  private static let heldNanoseconds: Int64 = 1_800_000_000_000

  private func hold(_ id: UInt16, _ set: RawSpan, _ exporter: ExporterState, _ moment: Moment) {
    guard exporter.held.count < settings.heldSetsPerExporter,
      heldOctets + set.byteCount <= settings.heldOctetsMost
    else {
      exporter.withoutTemplate &+= 1
      return counts.skip(.noTemplate)
    }
    heldOctets += set.byteCount
    exporter.held.append(
      ExporterState.HeldSet(
        id: id, octets: set.copied, clock: moment.clock, offset: moment.offset, arrival: moment.arrival))
  }

  /// Reads what waited for `template`.
  private func release(_ id: UInt16, _ template: ExportTemplate, _ exporter: ExporterState) {
    guard !exporter.held.isEmpty else { return }
    let held = exporter.held
    exporter.held = []
    for set in held {
      guard set.id == id else {
        exporter.held.append(set)
        continue
      }
      heldOctets -= set.octets.count
      template.isUsed = true
      var clock = set.clock
      if clock.uptimeMilliseconds == nil { clock.boot = exporter.boot }
      let moment = Moment(clock: clock, offset: set.offset, arrival: set.arrival)
      set.octets.withUnsafeBytes { octets in
        _ =
          template.isVariable
          ? variableRecords(octets.bytes, template, exporter, moment)
          : fixedRecords(octets.bytes, template, exporter, moment)
      }
    }
  }

  func expireHeld(at now: Int64) {
    guard heldOctets > 0 else { return }
    for exporter in exporters.exporters.values {
      let old = exporter.held.prefix { now &- $0.arrival > Self.heldNanoseconds }
      guard !old.isEmpty else { continue }
      heldOctets -= old.reduce(0) { $0 + $1.octets.count }
      exporter.withoutTemplate &+= UInt64(old.count)
      counts.skip(.noTemplate, UInt64(old.count))
      exporter.held.removeFirst(old.count)
    }
  }
}
