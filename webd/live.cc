#include "webd/live.h"

#include <fmt/core.h>

#include "common/admin/text_json.h"
#include "common/base/text.h"

namespace holdfast::webd {
namespace {

using admin::json;

constexpr base::Millis kBeat{1'000};
constexpr base::Seconds kSilence{10};

std::string event(const char* name, std::string_view data) {
  return fmt::format("event: {}\ndata: {}\n\n", name, base::trim(data));
}

// What changes by itself from second to second is no news.
void leave_out_clocks(json& status) {
  status.erase("situation");  // "for 5s"
  if (status.contains("queue") && status["queue"].is_object()) status["queue"].erase("oldest_seconds");
  if (status.contains("spool") && status["spool"].is_object()) status["spool"].erase("free_bytes");
}

}  // namespace

Live::Live(net::Loop& loop, Look look) : loop_(loop), look_(std::move(look)), timer_(loop, [this] { tick(); }) {}

bool Live::add(std::shared_ptr<Exchange> page, std::function<bool()> still_valid) {
  if (pages_.size() >= kMostPages) return false;
  const auto at = pages_.insert(pages_.end(), Page{page, std::move(still_valid), loop_.now()});
  page->begin_stream("text/event-stream", [at] { at->gone = true; });
  page->send(": holdfast\n\n");
  if (!timer_.waiting()) timer_.every(kBeat);
  tick();
  return true;
}

void Live::end_all() {
  for (auto& page : pages_) {
    if (page.gone) continue;
    page.exchange->send(event("end", "{}"));
    page.exchange->end_stream();
    page.gone = true;
  }
}

void Live::tick() {
  sweep();
  if (pages_.empty()) return timer_.stop();
  if (looking_) return;
  looking_ = look_([this, alive = alive_](std::string status) {
    if (!*alive) return;
    looking_ = false;
    tell(status);
  });
}

void Live::tell(const std::string& text) {
  json status = json::parse(text, nullptr, false);
  if (!status.is_object()) return;
  const json queue = status.value("queue", json());
  leave_out_clocks(status);
  const std::string status_now = status.dump(-1, ' ', false, json::error_handler_t::replace);
  const std::string queue_now = status.value("queue", json()).dump();
  const bool other_status = status_now != last_status_, other_queue = queue_now != last_queue_;
  if (other_status) status_event_ = event("status", text);
  if (other_queue) queue_event_ = event("queue", admin::dump(queue));
  last_status_ = status_now;
  last_queue_ = queue_now;
  for (auto& page : pages_) {
    if (page.gone) continue;
    if (other_status || !page.greeted) {
      send(page, status_event_);
      page.greeted = true;
    }
    if (other_queue) send(page, queue_event_);
    if (!page.gone && loop_.now() - page.sent >= kSilence) send(page, event("ping", "{}"));
  }
}

void Live::send(Page& page, const std::string& text) {
  if (page.gone) return;
  if (page.exchange->unsent() > kMostUnsent) {  // it does not read
    page.exchange->end_stream();
    page.gone = true;
    return;
  }
  page.sent = loop_.now();
  page.exchange->send(text);
}

void Live::sweep() {
  for (auto page = pages_.begin(); page != pages_.end();) {
    if (!page->gone && !page->still_valid()) {
      page->exchange->send(event("end", "{}"));
      page->exchange->end_stream();
      page->gone = true;
    }
    page = page->gone ? pages_.erase(page) : std::next(page);
  }
}

}  // namespace holdfast::webd
