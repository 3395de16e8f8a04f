import Mothlight

/// The measured part of docs/beacon-grid.md.
struct Page {
  var timing: Scores
  var funnel: Scores
  var healthy: [Funnel.Outcome]
  var infected: [Funnel.Outcome]
  var check: [String]

  func markdown() -> String {
    var out = "## RITA's score, checked\n\n" + check.map { "* \($0)\n" }.joined() + "\n"
    out += "## Table (a): timing alone\n\n"
    out += summary(timing)
    out += "## Table (b): pairs as the products judge them\n\n"
    out += summary(funnel) + verdicts() + loudest()
    out += "## Every cell at 1 % false positives\n\n"
    out += "Percent found of \(Grid.trials). In each cell: Mothlight / RITA / CV in (a), Mothlight / RITA in (b).\n"
    out += "Columns: misses and, after the plus, extra traffic.\n\n"
    out += full("(a)", timing, [0, 2, 3]) + full("(b)", funnel, [0, 1])
    return out
  }

  /// Shares found by level of each factor.
  private func summary(_ scores: Scores) -> String {
    var out = ""
    for rate in Grid.rates {
      let found = scores.detected(rate: rate)
      out += "False-positive rate \(Decimal.text(rate * 100, 1)) %, null of \(scores.null[0].count) pairs; thresholds: "
      out +=
        scores.methods.indices.map {
          "\(scores.methods[$0].title) \(Decimal.text(abs(scores.threshold($0, rate: rate)), 2))"
        }.joined(separator: ", ") + ".\n\n"
      out += "| cells | bots |" + scores.methods.map { " \($0.title) |" }.joined() + "\n"
      out += "|---|---|" + String(repeating: "---|", count: scores.methods.count) + "\n"
      func row(_ label: String, _ matches: (Cell) -> Bool) {
        let cells = Cell.all.indices.filter { matches(Cell.all[$0]) }
        let of = cells.count * Grid.trials
        out += "| \(label) | \(of) |"
        for m in scores.methods.indices {
          let share = BinomialShare(cells.reduce(0) { $0 + found[$1][m] }, of: of)
          out += " \(Decimal.text((share.share ?? 0) * 100, 1)) % |"
        }
        out += "\n"
      }
      row("all") { _ in true }
      for period in Cell.periods { row("every \(Words.period(period))") { $0.period == period } }
      for jitter in Cell.jitters {
        row(jitter == nil ? "kept to the clock" : "jitter \(Words.jitter(jitter))") { $0.jitter == jitter }
      }
      for misses in Cell.missShares { row("misses \(Int(misses * 100)) %") { $0.misses == misses } }
      for extra in Cell.extraShares { row("extra traffic \(Int(extra * 100)) %") { $0.extra == extra } }
      row("on 24 h") { !$0.isOfficeHours }
      row("on 8 h") { $0.isOfficeHours }
      out += "\n" + comparison(scores, found)
    }
    return out
  }

  /// Cells in which another method finds more, beyond what chance explains.
  private func comparison(_ scores: Scores, _ found: [[Int]]) -> String {
    var out = ""
    var contests = scores.methods.indices.dropFirst().map { (0, $0) }
    // Told the same: how long each server has been known.
    if let mine = scores.methods.firstIndex(of: .mothlightRolling) {
      contests.removeLast()
      if let theirs = scores.methods.firstIndex(of: .ritaRolling) { contests.append((mine, theirs)) }
    }
    for (own, other) in contests {
      var better = 0
      var worse: [Int] = []
      for cell in Cell.all.indices {
        let mine = BinomialShare(found[cell][own], of: Grid.trials).interval()
        let theirs = BinomialShare(found[cell][other], of: Grid.trials).interval()
        if mine.low > theirs.high { better += 1 }
        if mine.high < theirs.low { worse.append(cell) }
      }
      out +=
        "* \(scores.methods[own].title), against \(scores.methods[other].title): surely more in \(better) of \(Cell.all.count) cells, surely fewer "
      out += "in \(worse.count) (exact 95 % intervals apart)"
      let named = worse.sorted {
        found[$0][other] - found[$0][own] != found[$1][other] - found[$1][own]
          ? found[$0][other] - found[$0][own] > found[$1][other] - found[$1][own] : $0 < $1
      }.prefix(4).map { index in
        let cell = Cell.all[index]
        return "\(Words.period(cell.period)) \(Words.jitter(cell.jitter)) misses \(Int(cell.misses * 100)) % extra "
          + "\(Int(cell.extra * 100)) % \(cell.isOfficeHours ? 8 : 24) h: \(found[index][own]) against \(found[index][other])"
      }
      out += named.isEmpty ? ".\n" : ", most in " + named.joined(separator: "; ") + ".\n"
    }
    return out + "\n"
  }

  private func verdicts() -> String {
    let days = healthy.reduce(0) { $0 + $1.days }
    func count(_ verdict: Verdict) -> Int { healthy.reduce(0) { $0 + ($1.verdicts[verdict] ?? 0) } }
    let bots = Cell.all.count * Grid.trials
    let infectedHosts = infected.reduce(0) { $0 + $1.infected }
    let suspected = infected.reduce(0) { $0 + $1.suspected }
    return """
      With the product's own thresholds: of \(days) healthy host-days \(count(.infected)) were called infected and \
      \(count(.suspicious)) suspicious; of \(bots) machines with a bot that does nothing but call home, \
      \(Decimal.text(Double(infectedHosts) / Double(bots) * 100, 1)) % were called infected and \
      \(Decimal.text(Double(suspected) / Double(bots) * 100, 1)) % at least suspicious.


      """
  }

  /// What in a healthy network scores highest.
  private func loudest() -> String {
    let labels = healthy.flatMap(\.labels)
    var out = "Pairs over the 1 % threshold in the healthy networks, by what they are:\n\n| service | pairs |"
    out += funnel.methods.map { " \($0.title) |" }.joined() + "\n|---|---|"
    out += String(repeating: "---|", count: funnel.methods.count) + "\n"
    let thresholds = funnel.methods.indices.map { funnel.threshold($0, rate: 0.01) }
    for label in Set(labels).sorted() {
      let mine = labels.indices.filter { labels[$0] == label }
      out += "| \(label) | \(mine.count) |"
      for m in funnel.methods.indices { out += " \(mine.count(where: { funnel.null[m][$0] > thresholds[m] })) |" }
      out += "\n"
    }
    return out + "\n"
  }

  private func full(_ title: String, _ scores: Scores, _ shown: [Int]) -> String {
    let found = scores.detected(rate: 0.01)
    var out = "\(title): \(shown.map { scores.methods[$0].title }.joined(separator: " / "))\n\n| period | jitter | on |"
    for misses in Cell.missShares {
      for extra in Cell.extraShares { out += " \(Int(misses * 100))+\(Int(extra * 100)) |" }
    }
    out += "\n|" + String(repeating: "---|", count: 3 + Cell.missShares.count * Cell.extraShares.count) + "\n"
    for period in Cell.periods {
      for jitter in Cell.jitters {
        for office in [false, true] {
          out += "| \(Words.period(period)) | \(Words.jitter(jitter)) | \(office ? 8 : 24) h |"
          for (index, cell) in Cell.all.enumerated()
          where cell.period == period && cell.jitter == jitter && cell.isOfficeHours == office {
            let shares = shown.map { String((found[index][$0] * 100 + Grid.trials / 2) / Grid.trials) }
            out += " " + shares.joined(separator: "/") + " |"
          }
          out += "\n"
        }
      }
    }
    return out + "\n"
  }

  func csv() -> String {
    var out = "table,false_positive_rate,method,period_s,jitter,misses,extra,hours_on,trials,found\n"
    for (name, scores) in [("timing", timing), ("pair", funnel)] {
      for rate in Grid.rates {
        let found = scores.detected(rate: rate)
        for (index, cell) in Cell.all.enumerated() {
          for (m, method) in scores.methods.enumerated() {
            let jitter = cell.jitter.map { Decimal.text($0, 1) } ?? "clock"
            out += "\(name),\(rate),\(method.rawValue),\(Int(cell.period)),\(jitter),\(Decimal.text(cell.misses, 1)),"
            out += "\(Decimal.text(cell.extra, 1)),\(cell.isOfficeHours ? 8 : 24),\(Grid.trials),\(found[index][m])\n"
          }
        }
      }
    }
    return out
  }

  func plot() -> String {
    func panels(_ scores: Scores) -> [Plot.Panel] {
      let found = scores.detected(rate: 0.01)
      return scores.methods.indices.map { m in
        Plot.Panel(
          title: scores.methods[m].title, shares: found.map { Double($0[m]) / Double(Grid.trials) })
      }
    }
    return Plot.svg([
      ("(a) timing alone, 1 % false positives", panels(timing)),
      ("(b) pairs as judged, benign clockwork in the null, 1 % false positives", panels(funnel)),
    ])
  }
}
