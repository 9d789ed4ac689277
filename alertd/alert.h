// What alertd knows and has to tell. Kept in state/alerts; times are wall clock milliseconds, 0 means never.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace holdfast::alertd {

// What is held for the subject of an alert, or in the whole queue.
struct Held {
  std::uint64_t messages = 0, bytes = 0;
  std::int64_t oldest_ms = 0;        // when the oldest came
  std::int64_t expires_ms = 0;       // when the first is returned to its sender

  template <class V>
  void fields(V&& v) { v(messages, bytes, oldest_ms, expires_ms); }
  bool operator==(const Held&) const = default;
};

struct Alert {
  std::uint64_t id = 0;
  std::string kind, subject;
  std::string cause;                 // in the words of whoever saw it
  std::int64_t opened_ms = 0;        // of what lasts now, or last did
  std::int64_t first_ms = 0;         // the first time of several that are one alert
  std::int64_t changed_ms = 0;       // last raised or cleared
  std::int64_t closed_ms = 0;        // 0: open
  std::int64_t told_ms = 0;          // when a notice was last made; 0: never, it was silenced
  std::uint64_t count = 0, told_count = 0;  // how often it was raised, and how often when last told
  bool flapping = false;
  std::vector<std::int64_t> raised;  // the recent times, for flapping
  std::string acknowledged_by;       // empty: nobody
  std::int64_t acknowledged_ms = 0;
  Held most;                         // the most that was held while it was open
  std::string ended;                 // how, if not by what its kind says: "is paused by the admin"

  bool open() const { return closed_ms == 0; }
  template <class V>
  void fields(V&& v) {
    v(id, kind, subject, cause, opened_ms, first_ms, changed_ms, closed_ms, told_ms, count, told_count, flapping, raised,
      acknowledged_by, acknowledged_ms, most, ended);
  }
  bool operator==(const Alert&) const = default;
};

// Nothing is sent of a kind, a subject, or KIND:SUBJECT.
struct Silence {
  std::string what;
  std::int64_t until_ms = 0;
  std::string by;

  template <class V>
  void fields(V&& v) { v(what, until_ms, by); }
  bool operator==(const Silence&) const = default;
};

enum class What : std::uint8_t { kOpened, kRepeated, kFlapping, kCalm, kCleared, kTest, kReport };
std::string_view to_text(What what);  // "opened", "repeated", "flapping", "calm", "cleared", "test", "report"

struct Fact {
  std::string key, value;
  template <class V>
  void fields(V&& v) { v(key, value); }
  bool operator==(const Fact&) const = default;
};

// By one road; it is gone when it is done.
struct Delivery {
  std::string road;
  std::uint32_t attempts = 0;        // that failed
  std::int64_t next_ms = 0;

  template <class V>
  void fields(V&& v) { v(road, attempts, next_ms); }
  bool operator==(const Delivery&) const = default;
};

// Something that is sent, its words fixed when it was made.
struct Notice {
  std::uint64_t id = 0, alert = 0;
  What what = What::kOpened;
  std::string title, text;           // one line; some lines, each ended by \n; printable ASCII. A report: report_notice()
  std::vector<Fact> facts;           // for templates and the command, title and text among them
  std::int64_t made_ms = 0;
  std::vector<Delivery> deliveries;

  template <class V>
  void fields(V&& v) { v(id, alert, what, title, text, facts, made_ms, deliveries); }
  bool operator==(const Notice&) const = default;
};

}  // namespace holdfast::alertd
