#include "webd/reporter.h"

#include "common/admin/report_times.h"
#include "common/admin/text_json.h"
#include "common/base/file.h"
#include "common/base/log.h"

namespace holdfast::webd {

using admin::json;

Reporter::Reporter(std::string file) : file_(std::move(file)) {
  const auto text = base::read_file(file_);
  const json whole = text ? json::parse(*text, nullptr, false) : json();
  const auto last = whole.is_object() ? whole.find("last") : whole.end();
  if (whole.is_object() && last != whole.end() && last->is_number_integer()) last_s_ = last->get<std::int64_t>();
}

std::optional<std::int64_t> Reporter::due(const config::Report& report, std::int64_t now_s, base::Mono now) {
  if (report.every == "off") {
    if (last_s_ != 0) remember(0);
    return std::nullopt;
  }
  if (busy_ || now < not_before_) return std::nullopt;
  const auto due_s = admin::last_due(report.every == "weekly", report.at, now_s);
  const auto judged = admin::judge_due(last_s_, due_s);
  if (judged == admin::Due::kBegin) remember(due_s);
  if (judged != admin::Due::kNow) return std::nullopt;
  busy_ = true;
  return due_s;
}

void Reporter::done(std::int64_t due_s, bool taken, base::Mono now) {
  busy_ = false;
  not_before_ = now + kAgain;
  if (taken) remember(due_s);
}

// Who cannot write it sends no second one as long as he lives, and after that alertd knows the moment.
void Reporter::remember(std::int64_t last_s) {
  last_s_ = last_s;
  if (auto done = base::replace_file(file_, admin::dump_line({{"last", last_s}})); !done) base::log().error(done.error().text);
}

}  // namespace holdfast::webd
