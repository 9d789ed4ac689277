#include "common/admin/figures.h"

#include <functional>
#include <map>
#include <numeric>
#include <type_traits>

#include <fmt/core.h>

#include "common/admin/gateway.h"
#include "common/admin/status_look.h"
#include "common/base/text.h"
#include "common/stats/families.h"

namespace holdfast::admin {
namespace {

using Labels = std::vector<Sample::Label>;

constexpr base::Seconds kQuick{2};

// Takes the samples of one family.
class Sink {
 public:
  Sink(std::string_view family, std::vector<Sample>& out) : family_(family), out_(out) {}
  void add(Labels labels, double value) { out_.push_back({.family = family_, .labels = std::move(labels), .value = value}); }
  void add(double value) { add({}, value); }
  void add(Labels labels, const stats::HistogramNumbers& numbers) {
    out_.push_back({.family = family_, .labels = std::move(labels), .value = static_cast<double>(count_of(numbers)), .histogram = numbers});
  }
  template <class T>
  void add_known(const std::optional<T>& value) {
    if (value) add(static_cast<double>(*value));
  }

 private:
  std::string_view family_;
  std::vector<Sample>& out_;
};

Labels labels_of(const DaemonLine& d) { return {{"daemon", d.name}, {"worker", fmt::format("{}", d.worker)}}; }

void queue_states(const QueueLine& queue, Sink& sink) {
  if (queue.active) sink.add({{"state", "active"}}, static_cast<double>(*queue.active));
  sink.add({{"state", "deferred"}}, static_cast<double>(queue.deferred));
  sink.add({{"state", "held"}}, static_cast<double>(queue.held));
  sink.add({{"state", "frozen"}}, static_cast<double>(queue.frozen));
}

void destination_queue(const DestinationLine& d, Sink& sink) {
  if (!d.queued) return;
  sink.add({{"destination", d.name}, {"state", "deferred"}}, static_cast<double>(d.deferred));
  sink.add({{"destination", d.name}, {"state", "held"}}, static_cast<double>(d.held));
  sink.add({{"destination", d.name}, {"state", "frozen"}}, static_cast<double>(d.frozen));
}

void destination_states(const Status& status, Sink& sink) {
  for (const auto& d : status.destinations) {
    if (d.state.empty()) continue;
    for (const char* state : {"up", "down", "draining", "paused"}) {
      sink.add({{"destination", d.name}, {"state", state}}, d.state == state ? 1 : 0);
    }
  }
}

// Of each destination, by each daemon that has offered it messages.
void each_destination(const Figures& figures, const std::function<void(const Labels&, const stats::DestinationNumbers&)>& look) {
  if (!figures.sums) return;
  for (const auto& [daemon, tally] : *figures.sums) {
    for (const auto& [name, numbers] : tally.destinations) look({{"destination", name}, {"daemon", daemon}}, numbers);
  }
}

void destination_answers(const Labels& labels, const stats::DestinationNumbers& numbers, Sink& sink) {
  for (std::size_t i = 0; i < stats::kAnswers; ++i) {
    auto with_result = labels;
    with_result.push_back({"result", std::string(stats::to_text(static_cast<stats::Answer>(i)))});
    sink.add(std::move(with_result), static_cast<double>(numbers.answers[i]));
  }
}

using Fill = std::function<void(const Figures&, Sink&)>;

// What is not one counter's or histogram's own series.
const std::map<std::string_view, Fill>& gathered() {
  static const std::map<std::string_view, Fill> kGathered = {
      {"holdfast_build_info", [](const Figures& f, Sink& out) { out.add({{"version", f.version}}, 1); }},
      {"holdfast_daemon_up",
       [](const Figures& f, Sink& out) {
         for (const auto& d : f.status.daemons) out.add(labels_of(d), d.state == "running" ? 1 : 0);
       }},
      {"holdfast_daemon_restarts_total",
       [](const Figures& f, Sink& out) {
         for (const auto& d : f.status.daemons) {
           if (d.restarts) out.add(labels_of(d), static_cast<double>(*d.restarts));
         }
       }},
      {"holdfast_smtpd_clients",
       [](const Figures& f, Sink& out) {
         if (f.status.clients) out.add(static_cast<double>(f.status.clients->now));
       }},
      {"holdfast_smtpd_stressed_workers",
       [](const Figures& f, Sink& out) {
         if (f.status.clients) out.add(static_cast<double>(f.status.clients->stressed_workers));
       }},
      {"holdfast_queue_messages",
       [](const Figures& f, Sink& out) {
         if (f.status.queue) queue_states(*f.status.queue, out);
       }},
      {"holdfast_queue_bytes",
       [](const Figures& f, Sink& out) {
         if (f.status.queue) out.add(static_cast<double>(f.status.queue->bytes));
       }},
      {"holdfast_queue_oldest_seconds",
       [](const Figures& f, Sink& out) {
         if (f.status.queue) out.add_known(f.status.queue->oldest_seconds);
       }},
      {"holdfast_queue_destination_messages",
       [](const Figures& f, Sink& out) {
         for (const auto& d : f.status.destinations) destination_queue(d, out);
       }},
      {"holdfast_queue_destination_bytes",
       [](const Figures& f, Sink& out) {
         for (const auto& d : f.status.destinations) {
           if (d.queued) out.add({{"destination", d.name}}, static_cast<double>(d.bytes));
         }
       }},
      {"holdfast_queue_domain_messages",
       [](const Figures& f, Sink& out) {
         for (const auto& [name, messages] : f.domains) out.add({{"domain", name}}, static_cast<double>(messages));
       }},
      {"holdfast_destination_up",
       [](const Figures& f, Sink& out) {
         for (const auto& d : f.status.destinations) {
           if (!d.state.empty()) out.add({{"destination", d.name}}, d.state == "up" || d.state == "draining" ? 1 : 0);
         }
       }},
      {"holdfast_destination_state", [](const Figures& f, Sink& out) { destination_states(f.status, out); }},
      {"holdfast_destination_state_since_seconds",
       [](const Figures& f, Sink& out) {
         for (const auto& d : f.status.destinations) {
           if (d.since_ms > 0) out.add({{"destination", d.name}}, static_cast<double>(d.since_ms) / 1000);
         }
       }},
      {"holdfast_destination_answers_total",
       [](const Figures& f, Sink& out) {
         each_destination(f, [&](const auto& labels, const auto& numbers) { destination_answers(labels, numbers, out); });
       }},
      {"holdfast_destination_answer_seconds",
       [](const Figures& f, Sink& out) {
         each_destination(f, [&](const auto& labels, const auto& numbers) { out.add(labels, numbers.seconds); });
       }},
      {"holdfast_domain_coverage_ratio",
       [](const Figures& f, Sink& out) {
         for (const auto& d : f.status.domains) {
           if (d.coverage_percent) out.add({{"domain", d.name}}, *d.coverage_percent / 100.0);
         }
       }},
      {"holdfast_spool_free_bytes",
       [](const Figures& f, Sink& out) {
         if (f.status.spool) out.add(static_cast<double>(f.status.spool->free_bytes));
       }},
      {"holdfast_spool_free_ratio",
       [](const Figures& f, Sink& out) {
         if (f.status.spool) out.add(f.status.spool->free_percent / 100.0);
       }},
      {"holdfast_spool_accepting",
       [](const Figures& f, Sink& out) {
         if (f.status.spool) out.add(f.status.spool->accepting ? 1 : 0);
       }},
  };
  return kGathered;
}

// `result="kept",class="x"` of our own table.
Labels parse_labels(std::string_view text) {
  Labels out;
  if (text.empty()) return out;
  for (const auto part : base::split(text, ',')) {
    const auto equals = part.find("=\"");
    out.push_back({std::string(part.substr(0, equals)), std::string(part.substr(equals + 2, part.size() - equals - 3))});
  }
  return out;
}

// The daemons that a series is of, with what to add to its labels.
template <class Which>
void add_counted(Which which, const stats::Sums& sums, std::vector<Sample>& out) {
  const auto& series = stats::series(which);
  const auto add = [&](const stats::Numbers& numbers, Labels labels) {
    Sample sample{.family = series.family, .labels = std::move(labels)};
    if constexpr (std::is_same_v<Which, stats::Histogram>) {
      sample.histogram = numbers[which];
      sample.value = static_cast<double>(count_of(numbers[which]));
    } else {
      sample.value = static_cast<double>(numbers[which]);
    }
    out.push_back(std::move(sample));
  };
  for (const auto& [daemon, numbers] : sums) {
    auto labels = parse_labels(series.labels);
    if (series.daemon == daemon) add(numbers, std::move(labels));
    if (!series.daemon.empty()) continue;
    labels.push_back({"daemon", daemon});
    add(numbers, std::move(labels));
  }
}

template <class Which>
void add_counted(std::string_view family, std::size_t how_many, const stats::Sums& sums, std::vector<Sample>& out) {
  for (std::size_t i = 0; i < how_many; ++i) {
    const auto which = static_cast<Which>(i);
    if (stats::series(which).family == family) add_counted(which, sums, out);
  }
}

}  // namespace

Figures gather_figures(Gateway& gateway, std::string version) {
  Figures out{.version = std::move(version), .status = gather(gateway), .domains = {}, .sums = std::nullopt};
  (void)gateway.read_queue([&](const storage::QueueIndex& index, const storage::Txn& txn) {
    for (const auto& [name, domain] : gateway.config().domains) {
      out.domains.emplace_back(name, index.domain_counter(txn, name).messages());
    }
  });
  if (const auto said = gateway.ask("master", "master.stats", {}, kQuick)) {
    if (auto sums = stats::parse_sums(*said)) out.sums = std::move(*sums);
  }
  return out;
}

std::vector<Sample> samples(const Figures& figures) {
  std::vector<Sample> out;
  for (const auto& family : stats::families()) {
    if (const auto row = gathered().find(family.name); row != gathered().end()) {
      Sink sink(family.name, out);
      row->second(figures, sink);
    } else if (figures.sums && family.type == stats::Type::kHistogram) {
      add_counted<stats::Histogram>(family.name, stats::kHistograms, *figures.sums, out);
    } else if (figures.sums) {
      add_counted<stats::Counter>(family.name, stats::kCounters, *figures.sums, out);
    }
  }
  return out;
}

std::uint64_t count_of(const stats::HistogramNumbers& numbers) {
  return std::accumulate(numbers.buckets.begin(), numbers.buckets.end(), std::uint64_t{0});
}

std::optional<double> quantile(const stats::HistogramNumbers& numbers, double share) {
  const auto all = count_of(numbers);
  if (all == 0) return std::nullopt;
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < stats::kBounds.size(); ++i) {
    below += numbers.buckets[i];
    if (static_cast<double>(below) >= share * static_cast<double>(all)) {
      return std::chrono::duration<double>(stats::kBounds[i]).count();
    }
  }
  return std::nullopt;
}

}  // namespace holdfast::admin
