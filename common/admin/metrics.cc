#include "common/admin/metrics.h"

#include <cmath>

#include <fmt/core.h>

#include "common/admin/table.h"
#include "common/admin/text_json.h"
#include "common/stats/families.h"

namespace holdfast::admin {
namespace {

std::string number(double value) {
  constexpr double kExact = 9'007'199'254'740'992;  // 2^53
  if (value == std::floor(value) && std::abs(value) < kExact) return fmt::format("{}", static_cast<std::int64_t>(value));
  return fmt::format("{}", value);
}

double seconds(std::chrono::microseconds time) { return std::chrono::duration<double>(time).count(); }
double sum_seconds(const stats::HistogramNumbers& numbers) { return static_cast<double>(numbers.sum_us) / 1e6; }

std::string escaped(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '\\' || c == '"') out += '\\';
    out += c;
  }
  return out;
}

std::string label_text(const std::vector<Sample::Label>& labels, const std::string& le = {}) {
  std::string out;
  for (const auto& label : labels) out += fmt::format("{}{}=\"{}\"", out.empty() ? "" : ",", label.name, escaped(label.value));
  if (!le.empty()) out += fmt::format("{}le=\"{}\"", out.empty() ? "" : ",", le);
  return out.empty() ? out : "{" + out + "}";
}

std::string histogram_text(const Sample& sample) {
  const auto& numbers = *sample.histogram;
  std::string out;
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < stats::kBuckets; ++i) {
    below += numbers.buckets[i];
    const std::string le = i < stats::kBounds.size() ? number(seconds(stats::kBounds[i])) : "+Inf";
    out += fmt::format("{}_bucket{} {}\n", sample.family, label_text(sample.labels, le), below);
  }
  const auto labels = label_text(sample.labels);
  out += fmt::format("{}_sum{} {}\n", sample.family, labels, number(sum_seconds(numbers)));
  return out + fmt::format("{}_count{} {}\n", sample.family, labels, below);
}

// "holdfast_smtpd_messages_total" is told as "smtpd_messages".
std::string short_name(std::string_view family) {
  constexpr std::string_view kFirst = "holdfast_", kLast = "_total";
  if (family.starts_with(kFirst)) family.remove_prefix(kFirst.size());
  if (family.ends_with(kLast)) family.remove_suffix(kLast.size());
  return std::string(family);
}

std::string words(const std::vector<Sample::Label>& labels) {
  std::string out;
  for (const auto& label : labels) out += (out.empty() ? "" : " ") + label.value;
  return out;
}

std::string time_text(double s) { return s < 1 ? fmt::format("{:.3g} ms", s * 1000) : fmt::format("{:.3g} s", s); }

std::string spread_text(const stats::HistogramNumbers& numbers) {
  const auto all = count_of(numbers);
  std::string out = fmt::format("{} times, {} on average", all, time_text(sum_seconds(numbers) / static_cast<double>(all)));
  const auto most = quantile(numbers, 0.99);
  return out + (most ? fmt::format(", 99 % within {}", time_text(*most)) : ", more than 1 % over a minute");
}

json labels_json(const std::vector<Sample::Label>& labels) {
  json out = json::object();
  for (const auto& label : labels) out[label.name] = label.value;
  return out;
}

json buckets_json(const stats::HistogramNumbers& numbers) {
  json out = json::array();
  for (std::size_t i = 0; i < stats::kBuckets; ++i) {
    out.push_back({i < stats::kBounds.size() ? json(seconds(stats::kBounds[i])) : json(), numbers.buckets[i]});
  }
  return out;
}

constexpr const char* kHead =
    "# Metrics\n\n"
    "Made by `make doc` from the table that the program uses (common/stats/families.cc). `gatewayctl metrics` prints them,\n"
    "webd serves them at `/metrics`, `gatewayctl stats` tells them to people, and packaging/ has alert rules and a Grafana\n"
    "dashboard that use them.\n\n"
    "Counters begin at 0 when master starts and go on rising when one of its daemons is started anew: `rate()` and\n"
    "`increase()` are right over both. What cannot be known just now, since a daemon does not answer, is left out, not 0.\n"
    "Histograms have buckets from 1 ms to 60 s.\n";

}  // namespace

std::string metrics_text(const std::vector<Sample>& samples) {
  std::string out;
  std::string_view last;
  for (const auto& sample : samples) {
    if (sample.family != last) {
      const auto& family = stats::family(sample.family);
      out += fmt::format("# HELP {} {}.\n# TYPE {} {}\n", family.name, family.help, family.name, to_text(family.type));
      last = family.name;
    }
    if (sample.histogram) {
      out += histogram_text(sample);
    } else {
      out += fmt::format("{}{} {}\n", sample.family, label_text(sample.labels), number(sample.value));
    }
  }
  return out;
}

std::string stats_text(const std::vector<Sample>& samples) {
  Table table({"FIGURE", "OF", ">VALUE"});
  for (const auto& sample : samples) {
    if (sample.value == 0) continue;
    table.add({short_name(sample.family), words(sample.labels),
               sample.histogram ? spread_text(*sample.histogram) : number(sample.value)});
  }
  return table.take();
}

std::string stats_json(const std::vector<Sample>& samples) {
  std::string out;
  for (const auto& sample : samples) {
    json object{{"name", sample.family}, {"labels", labels_json(sample.labels)}};
    if (sample.histogram) {
      object["count"] = count_of(*sample.histogram);
      object["sum_seconds"] = sum_seconds(*sample.histogram);
      object["buckets"] = buckets_json(*sample.histogram);
    } else if (sample.value == std::floor(sample.value)) {
      object["value"] = static_cast<std::int64_t>(sample.value);
    } else {
      object["value"] = sample.value;
    }
    out += dump_line(object);
  }
  return out;
}

std::string metrics_reference() {
  std::string out = std::string(kHead) + "\n| metric | type | labels | |\n|---|---|---|---|\n";
  for (const auto& family : stats::families()) {
    out += fmt::format("| `{}` | {} | {} | {} |\n", family.name, to_text(family.type), family.labels, family.help);
  }
  return out;
}

}  // namespace holdfast::admin
