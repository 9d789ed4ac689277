#include "filter/milter.h"

#include <malloc.h>

#include <fmt/core.h>
#include <libmilter/mfapi.h>

#include "filter/answer.h"

namespace holdfast::filter {

// What has come of a connection's message.
struct Milter::Session {
  std::string content;
  bool silent = false;    // the MTA waits for no answer but the last
  bool too_long = false;  // for a scan
  bool no_room = false;   // in all
};

namespace {

// libmilter's callbacks have nobody to ask but this. Set before its threads start, never taken back.
Milter* the_milter = nullptr;

constexpr std::size_t kLarge = 4 << 20;  // of it the memory is given back at once

Milter::Session* session_of(SMFICTX* context) { return static_cast<Milter::Session*>(smfi_getpriv(context)); }

sfsistat go_on(const Milter::Session& session) { return session.silent ? SMFIS_NOREPLY : SMFIS_CONTINUE; }

// Only what is needed of a session is asked for, and nothing but the end of a message is answered.
sfsistat on_negotiate(SMFICTX* context, unsigned long, unsigned long offered, unsigned long, unsigned long, unsigned long* actions,
                      unsigned long* steps, unsigned long* more, unsigned long* most) {
  constexpr unsigned long kLeftOut = SMFIP_NOCONNECT | SMFIP_NOHELO | SMFIP_NOMAIL | SMFIP_NORCPT | SMFIP_NOUNKNOWN | SMFIP_NODATA;
  constexpr unsigned long kSilent = SMFIP_NR_HDR | SMFIP_NR_EOH | SMFIP_NR_BODY;
  auto* session = new Milter::Session;
  if (smfi_setpriv(context, session) != MI_SUCCESS || !the_milter->arrive()) {
    smfi_setpriv(context, nullptr);
    delete session;
    return SMFIS_REJECT;
  }
  *actions = SMFIF_ADDHDRS | SMFIF_QUARANTINE;
  session->silent = (offered & kSilent) == kSilent;
  *steps = offered & (session->silent ? kLeftOut | kSilent : kLeftOut);
  *more = *most = 0;
  return SMFIS_CONTINUE;
}

sfsistat on_header(SMFICTX* context, char* name, char* value) {
  Milter::Session& session = *session_of(context);
  std::string field = fmt::format("{}: ", name);
  for (const char* at = value; *at != '\0'; ++at) {
    if (*at == '\n' && (field.empty() || field.back() != '\r')) field += '\r';
    field += *at;
  }
  the_milter->hold(session, field += "\r\n");
  return go_on(session);
}

sfsistat on_end_of_header(SMFICTX* context) {
  Milter::Session& session = *session_of(context);
  the_milter->hold(session, "\r\n");
  return go_on(session);
}

sfsistat on_body(SMFICTX* context, unsigned char* bytes, std::size_t size) {
  Milter::Session& session = *session_of(context);
  the_milter->hold(session, {reinterpret_cast<const char*>(bytes), size});
  return go_on(session);
}

sfsistat on_end(SMFICTX* context) { return the_milter->judge(context, *session_of(context)); }

sfsistat on_abort(SMFICTX* context) {
  if (auto* session = session_of(context)) the_milter->release(*session);
  return SMFIS_CONTINUE;
}

sfsistat on_close(SMFICTX* context) {
  auto* session = session_of(context);
  if (session == nullptr) return SMFIS_CONTINUE;
  the_milter->release(*session);
  the_milter->leave();
  smfi_setpriv(context, nullptr);
  delete session;
  return SMFIS_CONTINUE;
}

smfiDesc description() {
  static char name[] = "holdfast";
  smfiDesc out{};
  out.xxfi_name = name;
  out.xxfi_version = SMFI_VERSION;
  out.xxfi_flags = SMFIF_ADDHDRS | SMFIF_QUARANTINE;
  out.xxfi_header = on_header;
  out.xxfi_eoh = on_end_of_header;
  out.xxfi_body = on_body;
  out.xxfi_eom = on_end;
  out.xxfi_abort = on_abort;
  out.xxfi_close = on_close;
  out.xxfi_negotiate = on_negotiate;
  return out;
}

// libmilter takes texts that it does not change as char*.
char* text(const std::string& s) { return const_cast<char*>(s.c_str()); }

sfsistat temporary(SMFICTX* context, const char* words) {
  std::string code = "451", enhanced = "4.7.1", said = words;
  smfi_setreply(context, text(code), text(enhanced), text(said));
  return SMFIS_TEMPFAIL;
}

sfsistat tell(SMFICTX* context, const Answer& answer) {
  std::string code = "554", enhanced = "5.7.1", name = "X-Holdfast-Content";
  const bool done = answer.action == Action::kReject   ? smfi_setreply(context, text(code), text(enhanced), text(answer.text)) == MI_SUCCESS
                    : answer.action == Action::kHeader ? smfi_addheader(context, text(name), text(answer.text)) == MI_SUCCESS
                    : answer.action == Action::kQuarantine ? smfi_quarantine(context, text(answer.text)) == MI_SUCCESS
                                                           : true;
  // The MTA does not let us: rather later than not at all.
  if (!done) return SMFIS_TEMPFAIL;
  return answer.action == Action::kReject ? SMFIS_REJECT : SMFIS_CONTINUE;
}

}  // namespace

// A scan's place among those that run.
class Milter::Turn {
 public:
  explicit Turn(Milter& milter) : milter_(milter) {
    std::unique_lock lock(milter.mutex_);
    milter.free_.wait(lock, [&] { return milter.running_.size() < static_cast<std::size_t>(milter.limits_.scans); });
    at_ = milter.running_.insert(base::mono_now());
  }
  ~Turn() {
    const std::lock_guard lock(milter_.mutex_);
    milter_.running_.erase(at_);
    milter_.free_.notify_one();
  }
  base::Mono began() const { return *at_; }

 private:
  Milter& milter_;
  std::multiset<base::Mono>::iterator at_;
};

Milter::Milter(std::shared_ptr<const Policy> policy, MilterLimits limits, Told told)
    : limits_(limits), told_(std::move(told)), policy_(std::move(policy)) {
  the_milter = this;
}

base::Status Milter::open(const std::string& path) {
  std::string where = "unix:" + path;
  const bool good = smfi_register(description()) == MI_SUCCESS && smfi_setconn(text(where)) == MI_SUCCESS && smfi_opensocket(true) == MI_SUCCESS;
  if (good) return {};
  return base::fail(base::Kind::kUnavailable, fmt::format("{}: cannot listen there", path));
}

void Milter::serve() { smfi_main(); }
void Milter::stop() { smfi_stop(); }

void Milter::set_policy(std::shared_ptr<const Policy> policy) {
  const std::lock_guard lock(mutex_);
  policy_ = std::move(policy);
}

std::shared_ptr<const Policy> Milter::policy() const {
  const std::lock_guard lock(mutex_);
  return policy_;
}

base::Seconds Milter::oldest_scan(base::Mono now) const {
  const std::lock_guard lock(mutex_);
  return running_.empty() ? base::Seconds{0} : std::chrono::duration_cast<base::Seconds>(now - *running_.begin());
}

bool Milter::idle() const {
  const std::lock_guard lock(mutex_);
  return running_.empty();
}

bool Milter::arrive() {
  if (connections_.fetch_add(1) < limits_.connections) return true;
  connections_.fetch_sub(1);
  return false;
}

void Milter::leave() { connections_.fetch_sub(1); }

bool Milter::hold(Session& session, std::string_view bytes) {
  if (session.too_long || session.no_room) return false;
  if (session.content.size() + bytes.size() > limits_.message) session.too_long = true;
  if (held_.load() + bytes.size() > limits_.held) session.no_room = true;
  if (session.too_long || session.no_room) return false;
  held_.fetch_add(bytes.size());
  session.content.append(bytes);
  return true;
}

void Milter::release(Session& session) {
  held_.fetch_sub(session.content.size());
  const bool large = session.content.size() > kLarge;
  session = Session{.silent = session.silent};
  if (large) ::malloc_trim(0);
}

Report Milter::look(const std::string& content, bool whole) {
  const auto rules = policy();
  const Turn turn(*this);
  const auto until = turn.began() + rules->limits.time;
  Report out = scan(content, *rules, [until] { return base::mono_now() >= until; });
  if (!whole && rules->action(Rule::kDamaged) != Action::kPass) {
    out.findings.push_back({Rule::kDamaged, rules->action(Rule::kDamaged), "the message is too long to be checked"});
  }
  return out;
}

int Milter::judge(void* context, Session& session) {
  auto* libmilters = static_cast<SMFICTX*>(context);
  if (session.no_room) {
    release(session);
    return temporary(libmilters, "The content filter has no room at the moment, try again later");
  }
  const Report report = look(session.content, !session.too_long);
  release(session);
  const char* id = smfi_getsymval(libmilters, const_cast<char*>("i"));
  if (!report.findings.empty()) told_(id == nullptr ? "" : id, report);
  return tell(libmilters, answer_to(report));
}

}  // namespace holdfast::filter
