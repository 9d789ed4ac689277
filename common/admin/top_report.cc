#include "common/admin/top_report.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>

#include <fmt/core.h>

#include "common/admin/history_values.h"
#include "common/admin/table.h"
#include "common/base/text.h"
#include "common/base/time.h"

namespace holdfast::admin {
namespace {

using Values = std::map<std::string, double>;

std::string rate(const Values& values, const std::string& name) {
  const auto found = values.find(name);
  return found == values.end() ? "-" : fmt::format("{:.1f}/s", found->second);
}

std::string octets(const Values& values) {
  const auto found = values.find("rate.bytes");
  return found == values.end() ? "-" : bytes_text(static_cast<std::uint64_t>(found->second)) + "/s";
}

std::string time(const Values& values, const std::string& name) {
  const auto found = values.find(name);
  if (found == values.end()) return "-";
  return found->second < 1 ? fmt::format("{:.1f} ms", found->second * 1000) : fmt::format("{:.1f} s", found->second);
}

std::string queue_line(const Figures& now) {
  if (!now.status.queue) return "queue     -\n";
  const auto& q = *now.status.queue;
  const std::string active = q.active ? fmt::format("{}", *q.active) : "-";
  const std::string oldest = q.oldest_seconds ? base::spell(base::Seconds{*q.oldest_seconds}) : "-";
  return fmt::format("queue     {} messages, {}; {} active, {} deferred, {} held, {} frozen; oldest {}\n", q.messages,
                     bytes_text(q.bytes), active, q.deferred, q.held, q.frozen, oldest);
}

std::string spool_line(const Figures& now) {
  if (!now.status.spool) return "spool     -\n";
  const auto& s = *now.status.spool;
  return fmt::format("spool     {} free ({} %){}\n", bytes_text(s.free_bytes), s.free_percent, s.accepting ? "" : ", NOT ACCEPTING");
}

std::string destinations(const Figures& now) {
  Table table({"DESTINATION", "STATE", "MODE", "FOR", ">QUEUED", "REASON"});
  for (const auto& d : now.status.destinations) {
    const auto age = base::Seconds{std::max<std::int64_t>(0, now.status.now_ms - d.since_ms) / 1000};
    table.add({d.name, d.state, d.mode, d.since_ms == 0 ? "" : base::spell(age),
               d.queued ? fmt::format("{}", *d.queued) : "", d.reason});
  }
  return table.take();
}

// Domains that have mail here, those with most first.
std::string domains(const Figures& now) {
  auto waiting = now.domains;
  std::erase_if(waiting, [](const auto& domain) { return domain.second == 0; });
  std::ranges::stable_sort(waiting, std::greater{}, [](const auto& domain) { return domain.second; });
  Table table({"DOMAIN", ">QUEUED"});
  for (const auto& [name, messages] : waiting) table.add({name, fmt::format("{}", messages)});
  return table.empty() ? "" : "\n" + table.take();
}

// What is cut off is cut between characters, not within one.
std::string cut(std::string_view line, std::size_t width) {
  if (line.size() <= width) return std::string(line);
  std::size_t characters = 0, at = 0;
  while (at < line.size()) {
    if ((static_cast<unsigned char>(line[at]) & 0xC0) != 0x80 && ++characters > width) break;
    ++at;
  }
  return std::string(line.substr(0, at));
}

std::string fit(const std::string& text, std::size_t width, std::size_t height) {
  std::string out;
  std::size_t lines = 0;
  for (const auto line : base::split(text, '\n')) {
    if (lines++ == height) break;
    out += cut(line, width) + "\n";
  }
  return out;
}

}  // namespace

std::string top_text(const Figures& now, const Figures* before, double seconds, std::size_t width, std::size_t height) {
  Values v;
  for (auto& [name, value] : history_values(now, before, seconds)) v.emplace(name, value);
  std::string out = situation(now.status) + "\n\n";
  const std::string clients = now.status.clients ? fmt::format("{}", now.status.clients->now) : "-";
  out += fmt::format("clients   {} now, {} new, {}\n", clients, rate(v, "rate.connections"), octets(v));
  out += fmt::format("messages  {} proxied ({}), {} kept ({}), {} sent from the queue ({})\n", rate(v, "rate.proxied"),
                     time(v, "latency.proxy"), rate(v, "rate.kept"), time(v, "latency.keep"), rate(v, "rate.sent"),
                     time(v, "latency.deliver"));
  out += fmt::format("refused   {} with 5xx, {} with 4xx\n", rate(v, "rate.refused"), rate(v, "rate.deferred"));
  out += queue_line(now) + spool_line(now) + "\n" + destinations(now) + domains(now);
  while (!out.empty() && out.back() == '\n') out.pop_back();
  return fit(out, width, height);
}

}  // namespace holdfast::admin
