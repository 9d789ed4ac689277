// The report by mail (decision 24): what passed, was refused, queued and bounced in a day or a week, outages, the busiest
// refusals; as text, and as a page with pictures. Pure, but for the time zone. All times are seconds since 1970.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/admin/refused_list.h"

namespace holdfast::admin {

// A stretch of the period. What is unknown counts as nothing, and `known_s` says for how long something was known.
struct ReportStep {
  double passed = 0, queued = 0, refused = 0, put_off = 0;  // how many
  double connections = 0, bytes = 0, handed_over = 0, bounced = 0, expired = 0;
  std::int64_t known_s = 0;
  double waiting_sum = 0;          // messages in the queue times the seconds that they were known for
  std::int64_t waiting_s = 0;

  ReportStep& operator+=(const ReportStep& other);
  std::optional<double> waiting() const;  // the mean
};

struct Outage {
  std::string destination, reason;
  std::int64_t from_s = 0, to_s = 0;   // cut to the period
  bool before = false, lasts = false;  // it began before the period; it had not ended by its end
};

// Whom we refused, counted by reply and reason, words that differ each time left out of it. Of more than kMost kinds of
// reasons the rest is `others`: what a destination answers must not fill the memory.
class Refusals {
 public:
  static constexpr std::size_t kMost = 2'000;
  struct Row {
    std::string reply, why;
    std::uint64_t times = 0;
    std::string example;           // a recipient of the latest
  };

  void add(const Rejection& rejection);
  std::vector<Row> busiest(std::size_t most) const;
  std::uint64_t all() const { return all_; }
  std::uint64_t others() const { return others_; }

 private:
  std::map<std::pair<std::string, std::string>, Row> rows_;
  std::uint64_t all_ = 0, others_ = 0;
};

struct MailReport {
  static constexpr std::int64_t kDailyStep = 300, kWeeklyStep = 3600;

  std::string host;
  bool weekly = false;
  std::int64_t from_s = 0, to_s = 0;
  std::vector<ReportStep> steps;       // from from_s on, each step_s() long; empty: there is no history
  std::optional<std::uint64_t> queued_now;
  std::vector<Outage> outages;         // the oldest first
  Refusals refusals;
  std::vector<std::string> gaps;       // what could not be found out, and why

  std::int64_t step_s() const { return weekly ? kWeeklyStep : kDailyStep; }
  ReportStep total() const;
};

// "[Holdfast mx.example.test] the day until Mon 23 Nov 06:00: 1,204 passed, 3 queued, 12 refused, 1 outage". Printable ASCII.
std::string report_title(const MailReport& report);
// Lines ended by \n, of printable ASCII.
std::string report_text(const MailReport& report);

// The body of a multipart/alternative: the text, and a page with its pictures (PNG). Lines end by CRLF, 7 bit, none over 998.
struct ReportBody {
  std::string boundary, content;
};
ReportBody report_body(const MailReport& report);

}  // namespace holdfast::admin
