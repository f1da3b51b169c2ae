# The words are those of the desk: one word for one thing.

app-name = شُبّاك
app-tagline = مكتب المراجعين على واتساب

## Start and session

signin-title = تسجيل الدخول
signin-hint = بيانات الدخول من مسؤول النظام في جهتك.
signin-known = سبق الدخول من هذا الجهاز
signin-gateway = عنوان البوابة
signin-agency = رمز الجهة
signin-username = اسم المستخدم
signin-password = كلمة المرور
signin-submit = دخول
signin-busy = جارٍ الدخول…
signin-have-code = لديّ رمز الدخول الأول
signin-no-code = لديّ كلمة مرور
signin-back = العودة إلى شاشة القفل
code-title = الدخول لأول مرة
code-hint = اكتب الرمز الذي سلّمك إياه مسؤول النظام، ثم اختر كلمة مرورك.
code-code = رمز الدخول الأول
code-password = كلمة المرور الجديدة
code-repeat = إعادة كلمة المرور
code-rule-length = { $count ->
    [zero] 15 حرفًا على الأقل. جملة من عدة كلمات أسهل حفظًا وأقوى
    [one] 15 حرفًا على الأقل، والمكتوب حرف واحد
    [two] 15 حرفًا على الأقل، والمكتوب حرفان
    [few] 15 حرفًا على الأقل، والمكتوب { $count } أحرف
    [many] 15 حرفًا على الأقل، والمكتوب { $count } حرفًا
   *[other] 15 حرفًا على الأقل، والمكتوب { $count } حرف
}
code-rule-same = الكتابتان متطابقتان
code-rule-own = لا تُستعمل في مكان آخر. اللصق من مدير كلمات المرور مسموح
code-submit = حفظ كلمة المرور والدخول
password-show = إظهار كلمة المرور
password-hide = إخفاء كلمة المرور
locked-title = الشاشة مقفلة
locked-hint = اكتب كلمة مرورك للمتابعة. لا حاجة إلى اتصال بالشبكة.
locked-submit = فتح القفل
locked-busy = جارٍ الفتح…
locked-other = الدخول بحساب آخر
again = أعد المحاولة

## What went wrong with a call: what happened, and what to do next

error-bad_request = لم يُفهم هذا الطلب. أعد تشغيل البرنامج، فإن تكرر فأبلغ الدعم الفني.
error-not_signed_in = انتهت جلستك. سجّل الدخول من جديد.
error-wrong_password = اسم المستخدم أو كلمة المرور أو الرمز غير صحيح. تحقق منها ومن لغة لوحة المفاتيح ثم أعد المحاولة.
error-code_expired = انتهت صلاحية رمز الدخول. اطلب رمزًا جديدًا من مسؤول النظام.
error-weak_password = كلمة المرور قصيرة أو شائعة. اختر 15 حرفًا على الأقل مما لا يسهل تخمينه.
error-slow_down = محاولات كثيرة متتالية. انتظر دقيقة ثم أعد المحاولة.
error-unreachable = تعذّر الوصول إلى البوابة. تحقق من اتصال الشبكة ثم أعد المحاولة.
error-bad_address = عنوان البوابة غير صالح. يبدأ العنوان بـ { "https://" } كما سلّمه مسؤول النظام.
error-not_a_gateway = لا توجد بوابة شُبّاك في هذا العنوان. تحقق من كتابته.
error-too_old = هذه النسخة من البرنامج قديمة. اطلب التحديث من الدعم الفني. ما لم يُرسل محفوظ.
error-lease_expired = مضت مدة طويلة دون اتصال بالبوابة. اتصل بالشبكة ثم سجّل الدخول.
error-no_keychain = مخزن المفاتيح في النظام لا يستجيب. افتحه أو أعد تشغيل الجهاز ثم أعد المحاولة.
error-bad_file = تعذّرت قراءة ملف هذا الحساب. لا تحذف شيئًا، وأبلغ الدعم الفني.
error-not_found = لم يعد هذا متاحًا لك. حُدّثت الشاشة.
error-bad_text = النص فارغ أو أطول من المسموح. عدّله ثم أعد المحاولة.
error-bad_link = هذا الرابط لا يُفتح من هنا: ليس عنوان موقع، أو لا يؤدي إلى حيث يبدو.
error-failed = لم يكتمل الإجراء، ولم يضع شيء مما كتبته. أعد المحاولة، فإن تكرر فأبلغ الدعم الفني.
error-dismiss = إخفاء التنبيه

## The rail

rail = التنقل الرئيسي
rail-inbox = الوارد
rail-language = English
rail-language-label = Switch to English
rail-theme = المظهر
theme-system = حسب النظام
theme-light = فاتح
theme-dark = داكن
me-menu = حسابي: { $name }
me-keys = اختصارات لوحة المفاتيح
me-lock = قفل الشاشة
me-sign-out = تسجيل الخروج
role-agent = موظف الرد
role-lead = رئيس الفريق
role-admin = مسؤول النظام
sign-out-title = تسجيل الخروج من هذا الجهاز؟
sign-out-text = تبقى مسوداتك محفوظة ومشفّرة على هذا الجهاز حتى دخولك القادم.
sign-out-waiting = { $count ->
    [zero] لا شيء بانتظار الإرسال.
    [one] عمل واحد لم يصل إلى البوابة بعد.
    [two] عملان لم يصلا إلى البوابة بعد.
    [few] { $count } أعمال لم تصل إلى البوابة بعد.
    [many] { $count } عملاً لم يصل إلى البوابة بعد.
   *[other] { $count } عمل لم يصل إلى البوابة بعد.
}
cancel = إلغاء

## The list

list = المحادثات
filters = تصفية المحادثات
filter-mine = محادثاتي
filter-unassigned = غير مسندة
filter-team = فريقي
filter-open = المفتوحة
filter-waiting = بانتظار الرد
filter-closing = تنتهي مهلتها
filter-closed = المغلقة
order-latest = الأحدث
order-longest = الأطول انتظارًا
list-gathered = { $count ->
    [zero] لا جديد
    [one] جديد في محادثة واحدة
    [two] جديد في محادثتين
    [few] جديد في { $count } محادثات
    [many] جديد في { $count } محادثة
   *[other] جديد في { $count } محادثة
}
unread = { $count ->
    [zero] لا رسائل جديدة
    [one] رسالة جديدة
    [two] رسالتان جديدتان
    [few] { $count } رسائل جديدة
    [many] { $count } رسالة جديدة
   *[other] { $count } رسالة جديدة
}
row-draft = مسودة
row-waiting = بانتظار الرد
row-from-me = أنت:
row-from-colleague = زميل:
row-left = بقي { $left }
row-owner = لدى { $name }
row-nobody = غير مسندة
contact-code = مراجع { $code }
list-load-error = تعذّر عرض المحادثات.
empty-mine-title = لا محادثات لديك الآن
empty-mine-text = ما يُسند إليك أو تستلمه يظهر هنا. انظر في غير المسندة لتستلم منها.
empty-mine-act = عرض غير المسندة
empty-unassigned-title = لا محادثات تنتظر من يستلمها
empty-unassigned-text = كل ما ورد مسند إلى موظف. الجديد يظهر هنا فور وصوله.
empty-open-title = لا محادثات مفتوحة
empty-open-text = حين يكتب مراجع إلى رقم الجهة تظهر محادثته هنا فورًا.
empty-team-title = لا محادثات لفريقك الآن
empty-team-text = ما يخص فريقك يظهر هنا، أيًا كان الموظف.
empty-waiting-title = لا أحد ينتظر ردًا
empty-waiting-text = كل من كتب رُدّ عليه. من يكتب بعد ذلك يظهر هنا.
empty-closing-title = لا مهلة توشك أن تنتهي
empty-closing-text = من ينتظر ردًا وبقي من مهلة واتساب أقل من ساعتين يظهر هنا.
empty-closed-title = لا محادثات مغلقة
empty-closed-text = ما يُغلق ينتقل إلى هنا، ويمكن فتحه من جديد.
syncing-title = جارٍ استلام سجل الجهة
syncing-text = يحدث هذا مرة واحدة على هذا الجهاز. يمكنك البدء بما وصل.
syncing-left = بقي نحو { $left }
syncing-soon = بقي أقل من دقيقة
syncing-count = { $count ->
    [zero] لم يصل شيء بعد
    [one] وصلت حركة واحدة
    [two] وصلت حركتان
    [few] وصلت { $count } حركات
    [many] وصلت { $count } حركة
   *[other] وصلت { $count } حركة
}

## The conversation

nothing-open-title = اختر محادثة من القائمة
nothing-open-text = بالأسهم تنتقل بين المحادثات، وبزر الإدخال تفتحها.
conversation = محادثة { $name }
conversation-close = إغلاق المحادثة والعودة إلى القائمة
conversation-load-error = تعذّر عرض هذه المحادثة.
window-left = بقي { $left } من مهلة واتساب
window-over = انتهت مهلة واتساب
window-never = لم يكتب المراجع بعد
older-loading = جارٍ عرض الأقدم…
older-none = بداية المحادثة
new-marker = جديد
jump-new = { $count ->
    [zero] إلى الأحدث
    [one] رسالة جديدة
    [two] رسالتان جديدتان
    [few] { $count } رسائل جديدة
    [many] { $count } رسالة جديدة
   *[other] { $count } رسالة جديدة
}
quote-go = الانتقال إلى الرسالة الأصلية
quote-elsewhere = الرسالة المقتبسة ليست على هذا الجهاز
present-writes = { $more ->
    [zero] الكتابة الآن: { $name }
    [one] الكتابة الآن: { $name } وزميل آخر
    [two] الكتابة الآن: { $name } وزميلان
    [few] الكتابة الآن: { $name } و{ $more } زملاء
    [many] الكتابة الآن: { $name } و{ $more } زميلًا
   *[other] الكتابة الآن: { $name } و{ $more } زميل
}
present-reads = { $more ->
    [zero] الاطلاع الآن: { $name }
    [one] الاطلاع الآن: { $name } وزميل آخر
    [two] الاطلاع الآن: { $name } وزميلان
    [few] الاطلاع الآن: { $name } و{ $more } زملاء
    [many] الاطلاع الآن: { $name } و{ $more } زميلًا
   *[other] الاطلاع الآن: { $name } و{ $more } زميل
}
comma = { "، " }
heard-message = رسالة جديدة من { $name }: { $text }
message-from-contact = { $name }، { $time }
message-from-me = أنت، { $time }
day-today = اليوم
day-yesterday = أمس
# It begins with U+200F, which is not seen: put into a sentence, it has no other letter by which it is known to run from right to left.
moment = ‏{ $day }، { $time }
hours = { $count ->
    [zero] أقل من ساعة
    [one] ساعة واحدة
    [two] ساعتان
    [few] { $count } ساعات
    [many] { $count } ساعة
   *[other] { $count } ساعة
}
minutes = { $count ->
    [zero] أقل من دقيقة
    [one] دقيقة واحدة
    [two] دقيقتان
    [few] { $count } دقائق
    [many] { $count } دقيقة
   *[other] { $count } دقيقة
}
late-arrival = كُتبت { $sent }، وصلت { $arrived }
delivery-waiting = لم تُرسل بعد
delivery-stuck = لم تُرسل
delivery-queued = جارٍ الإرسال
delivery-uncertain = غير مؤكدة
delivery-sent = أُرسلت
delivery-delivered = وصلت
delivery-read = قُرئت
delivery-failed = تعذّر الإرسال
delivery-since = { $state } ({ $time })
delivery-recalled = سُحبت ولم تُرسل
not-shown = رسالة من نوع { $type }، لا تُعرض بعد
not-shown-hint = الرسالة محفوظة كاملة، ويمكن سؤال المراجع عن مضمونها.
type-text = نص
type-image = صورة
type-audio = رسالة صوتية
type-video = فيديو
type-document = مستند
type-sticker = ملصق
type-location = موقع
type-contacts = جهات اتصال
type-reaction = تفاعل
type-interactive = اختيار من قائمة
type-button = زر
type-order = طلب شراء
type-system = إشعار من واتساب
type-unsupported = غير مدعوم من واتساب
type-unknown = { $type }
note-label = ملاحظة داخلية
note-pending = لم تُحفظ لدى البوابة بعد
event-opened = فُتح برقم { $number }
event-claimed = الاستلام: { $to }
event-assigned = أُسند إلى { $to }، من { $by }
event-assigned-plain = أُسند إلى { $to }
event-released = أُعيد إلى القائمة، من { $by }
event-released-plain = أُعيد إلى القائمة
event-closed = أُغلق: { $outcome }، من { $by }
event-closed-plain = أُغلق: { $outcome }
event-closed-bare = أُغلق
event-reopened = أُعيد فتحه، من { $by }
event-reopened-plain = أُعيد فتحه
you = أنت
you-first = أنت
you-after = { $name } (أنت)

## Why something is stuck, failed or uncertain

problem-failed = لم يقبلها واتساب.
problem-uncertain = انقطع الاتصال أثناء الإرسال، ولا يُعرف هل وصلت إلى واتساب. اسأل المراجع أو انظر ردّه قبل إعادتها.
problem-window_closed = انتهت مهلة واتساب (24 ساعة) قبل الإرسال. تُتاح من جديد حين يكتب المراجع.
problem-newer_reply = سبقك زميل بالرد على المراجع. اقرأ ردّه ثم أعد الإرسال أو احذفها.
problem-case_moved = تغيّر الطلب أو انتقل قبل الإرسال. راجعه ثم أعد المحاولة.
problem-stale = كُتبت قبل أكثر من ساعة، وكتب المراجع بعدها. راجعها ثم أعد الإرسال.
problem-behind = تنتظر رسالة متعثرة قبلها.
problem-forbidden = لا تسمح صلاحيتك بهذا الإجراء. اطلبه من رئيس الفريق.
problem-invalid = لم تقبل البوابة هذه البيانات. راجعها ثم أعد المحاولة.
problem-unknown_command = لا تعرف البوابة هذا الإجراء بعد. أبلغ الدعم الفني.
problem-id_reused = سُجّل هذا الإجراء من قبل بمضمون آخر. احذفه وأعد كتابته.
problem-owned = الطلب لدى زميل. اطلب من رئيس الفريق إسناده إليك.
problem-closed = الطلب مغلق. أعد فتحه ثم أعد المحاولة.
problem-restored = استُعيدت بيانات البوابة من نسخة احتياطية ليست فيها هذه، وربما وصلت إلى المراجع. تحقّق قبل إرسالها من جديد.
problem-too_late = كانت في طريقها ولم يعد سحبها ممكنًا.
problem-not_uncertain = عُرف مصير هذه الرسالة، ولا حاجة إلى إجراء.
problem-not_found = لم يعد هذا الطلب متاحًا لك.
problem-not_closed = الطلب مفتوح بالفعل.
problem-signed_out = انتهت جلستك لدى البوابة، فلا يصل شيء ولا يُرسل.
foot-sign-in = أدخل كلمة المرور
problem-revoked = أغلقت الإدارة وصول هذا الجهاز، ويُحذف ما كان محفوظاً عليه.
problem-too_old = تطلب البوابة نسخة أحدث من البرنامج. اطلب التحديث من الدعم الفني. ما لم يُرسل محفوظ.
problem-other = رفضته البوابة ({ $code }). أعد المحاولة، فإن تكرر فأبلغ الدعم الفني.
send-error-131026 = لا يمكن إيصالها إلى هذا المراجع: رقمه ليس على واتساب أو نسخته قديمة. تواصل معه بطريق آخر.
send-error-131047 = انتهت مهلة واتساب (24 ساعة). تُتاح من جديد حين يكتب المراجع.
send-error-131048 = قيّد واتساب الإرسال من هذا الرقم مؤقتًا. أبلغ مسؤول النظام.
send-error-131050 = أوقف المراجع هذا النوع من الرسائل.
send-error-131056 = رسائل كثيرة إلى هذا المراجع في وقت قصير. انتظر قليلًا ثم أعد كتابتها.
send-error-130429 = تجاوز الرقم سرعة الإرسال المسموحة. انتظر قليلًا ثم أعد كتابتها.
send-error-190 = انتهت صلاحية ربط الجهة بواتساب. أبلغ مسؤول النظام.
send-error-368 = أوقف واتساب حساب الجهة مؤقتًا. أبلغ مسؤول النظام.
send-error-131031 = أوقف واتساب حساب الجهة. أبلغ مسؤول النظام.
send-error-131042 = توجد مشكلة في سداد حساب واتساب للجهة. أبلغ مسؤول النظام.
send-error-130403 = هذا المراجع محظور لدى الجهة. أبلغ مسؤول النظام.
send-error-other = لم يقبلها واتساب: { $title } ({ $code }).
act-retry = إعادة المحاولة
act-take-back = استعادة إلى المسودة
act-recall = سحب
act-undo = تراجع
act-drop = حذف
act-was-sent = أُرسلت فعلًا
act-send-again = إرسالها مرة أخرى
act-write-again = كتابتها من جديد

## The composer

composer = كتابة
mode-reply = رد
mode-note = ملاحظة داخلية
composer-reply-placeholder = اكتب ردك على المراجع…
composer-note-placeholder = ملاحظة لزملائك. لا تصل إلى المراجع أبدًا…
composer-reply-label = نص الرد
composer-note-label = نص الملاحظة الداخلية
composer-send = إرسال
composer-add-note = إضافة الملاحظة
composer-saved = حُفظت المسودة
composer-keys = زر الإدخال للإرسال، ومع Shift لسطر جديد
composer-left = { $count ->
    [zero] لم يبق متسع
    [one] بقي حرف واحد
    [two] بقي حرفان
    [few] بقيت { $count } أحرف
    [many] بقي { $count } حرفًا
   *[other] بقي { $count } حرف
}
composer-over = { $count ->
    [zero] في الحد المسموح
    [one] أطول بحرف واحد من المسموح
    [two] أطول بحرفين من المسموح
    [few] أطول بـ{ $count } أحرف من المسموح
    [many] أطول بـ{ $count } حرفًا من المسموح
   *[other] أطول بـ{ $count } حرف من المسموح
}
composer-beside = يُكتب ردّ آخر هنا الآن ({ $name }). قد يصل المراجعَ جوابان.
composer-overtaken = وصل ردّ من { $name } وأنت تكتب:
composer-overtaken-again = اقرأه، ثم أرسل مرة أخرى إن بقي ردّك لازمًا.
lock-window = مضت 24 ساعة على آخر رسالة من المراجع. لا يقبل واتساب ردًا حتى يكتب من جديد.
lock-never = لم يكتب المراجع بعد، فلا يقبل واتساب رسالة إليه.
lock-closed = هذا الطلب مغلق. أعد فتحه لترد على المراجع.
lock-draft = نص مسودتك محفوظ.
read-only = صلاحيتك للاطلاع فقط.

## The case

case = الطلب
case-panel = تفاصيل الطلب
case-number = رقم الطلب
case-state = الحالة
case-open = مفتوح
case-closed = مغلق
case-team = الفريق
case-owner = الموظف المختص
case-nobody = لا أحد بعد
case-opened-at = فُتح
case-closed-at = أُغلق
case-outcome = النتيجة
case-notes = الملاحظات الداخلية
case-notes-none = لا ملاحظات بعد. اكتب ملاحظة من خانة الكتابة.
case-earlier = الطلبات السابقة
case-pending = بانتظار الإرسال: { $act }
case-refused = لم يُقبل: { $act }
case-more = تفاصيل الطلب
case-less = طيّ التفاصيل
act-claim = استلام
act-release = إرجاع إلى القائمة
act-release-short = إرجاع
act-assign = إسناد
act-assign-to = إسناد إلى
act-assign-none = لا موظف متاح لهذا الفريق.
act-close = إغلاق
act-close-how = كيف انتهى؟
act-reopen = إعادة الفتح
act-close_case = إغلاق
act-reopen_case = إعادة الفتح
act-other = إجراء

## Actions: what can be done by keyboard, in palette, sheet and tooltips

tip = { $words } ({ $keys })
group-case = الطلب
group-conversation = المحادثة
group-list = القائمة
group-window = النافذة
do-claim = استلام الطلب
do-assign = إسناد إلى موظف
do-release = إرجاع إلى القائمة
do-close = إغلاق الطلب
do-reopen = إعادة فتح الطلب
do-copy-number = نسخ رقم الطلب
do-copy-phone = نسخ رقم الهاتف
do-reply = كتابة رد
do-note = كتابة ملاحظة داخلية
do-next = فتح المحادثة التالية
do-previous = فتح المحادثة السابقة
do-next-waiting = فتح التالية بانتظار الرد
do-date = الانتقال إلى يوم
do-copy-figure = نسخ رقم من الرسائل
do-link = فتح رابط من الرسائل
do-order = تبديل الترتيب: الأحدث أو الأطول انتظارًا
do-latest = الانتقال إلى أحدث رسالة
do-first-new = الانتقال إلى أول رسالة جديدة
do-trouble = الانتقال إلى الرسالة المتعثرة
do-recall = سحب آخر رد قبل إرساله
do-details = عرض تفاصيل الطلب أو طيّها
do-shut = إغلاق المحادثة
do-list = الانتقال إلى القائمة
do-gathered = إدخال الجديد إلى القائمة
do-select = تحديد المحادثة
do-select-all = تحديد كل المحادثات
do-select-none = إلغاء التحديد
do-filter-mine = عرض محادثاتي
do-filter-unassigned = عرض غير المسندة
do-filter-team = عرض ما لفريقي
do-filter-open = عرض المفتوحة
do-filter-waiting = عرض ما ينتظر الرد
do-filter-closing = عرض ما تنتهي مهلته قريبًا
do-filter-closed = عرض المغلقة
do-palette = كل الأوامر
do-keys = اختصارات لوحة المفاتيح
do-settings = الإعدادات
do-settings-words = الإعدادات: اللغة والأرقام
do-settings-look = الإعدادات: المظهر
do-settings-keyboard = الإعدادات: الكتابة والاختصارات
do-settings-notifications = الإعدادات: الإشعارات
do-settings-computer = الإعدادات: هذا الجهاز
do-try-notification = تجربة إشعار
do-private = تشغيل الإشعارات الخاصة أو إيقافها
do-language = تبديل اللغة: English
do-theme = تغيير المظهر: فاتح، داكن
do-contrast = تشغيل التباين العالي أو إيقافه
do-density = تغيير كثافة العرض
do-larger = تكبير النص
do-smaller = تصغير النص
do-usual-size = حجم النص المعتاد
do-lock = قفل الشاشة
do-sign-out = تسجيل الخروج
habit-arrows = التنقل في القائمة
habit-ends = أول القائمة وآخرها
habit-enter = فتح المحادثة
habit-more = تحديد المزيد
habit-all = تحديد الكل
habit-escape = الرجوع: عن التحديد، عن الكتابة، عن المحادثة
habit-send = إرسال
habit-newline = سطر جديد
palette = الأوامر
palette-short = الأوامر
palette-placeholder = اكتب أمرًا أو اسمًا…
palette-choose = { $act }: اختر، أو اكتب بعض الحروف…
palette-on = على محادثة { $name }
palette-on-many = { $count ->
    [zero] على لا شيء
    [one] على محادثة واحدة
    [two] على محادثتين
    [few] على { $count } محادثات
    [many] على { $count } محادثة
   *[other] على { $count } محادثة
}
palette-found = النتائج
palette-open = فتح:{ " " }
palette-now = كما هو الآن
palette-none = لا شيء بهذه الكلمات. جرّب كلمة أخرى، بالعربية أو بالإنجليزية.
keys-title = اختصارات لوحة المفاتيح
keys-or = أو
keys-single = المفاتيح المفردة تعمل خارج خانات الكتابة فقط، ويمكن إيقافها من الإعدادات.
keys-no-single = المفاتيح المفردة متوقفة من الإعدادات.
sheet-close = إغلاق
copied-number = نُسخ رقم الطلب: { $text }
copied-phone = نُسخ رقم الهاتف: { $text }
copied-figure = نُسخ الرقم: { $text }
copied-not = الحافظة لا تستجيب. حدّد النص وانسخه.
selected = { $count ->
    [zero] لا محادثات محددة
    [one] محادثة واحدة محددة
    [two] محادثتان محددتان
    [few] { $count } محادثات محددة
    [many] { $count } محادثة محددة
   *[other] { $count } محادثة محددة
}
selected-acts = إجراءات على المحدد
selected-clear = إلغاء التحديد
row-selected = محددة
no-number = بلا رقم ظاهر
no-number-hint = لا يُظهر واتساب رقم هذا المراجع. استعمل الرمز عند الحديث عنه.
message-more = عرض الرسالة كاملة
message-less = طيّ الرسالة
link-host = يؤدي إلى { $host }
link-opened = فُتح في المتصفح: { $host }
link-ask-title = أتفتح هذا الرابط؟
link-ask-confirm = فتح في المتصفح
link-ask-leads = يؤدي إلى هذا الموقع، لا إلى غيره مما كُتب فيه:
link-ask-text = لا تُدخل كلمة مرور ولا رقمًا في موقع لا تعرفه.
figure-copy = نسخ { $text }
composer-keys-ctrl = Ctrl مع زر الإدخال للإرسال، وزر الإدخال وحده لسطر جديد

## Settings

rail-settings = الإعدادات
settings-title = الإعدادات
section-words = اللغة والأرقام
settings-language = لغة النافذة
settings-language-ar = العربية
settings-language-en = English
settings-digits = الأرقام
settings-digits-hint = للأوقات والأعداد. أرقام الهواتف والطلبات تبقى كما هي.
digits-western = 123
digits-arabic_indic = ١٢٣
section-look = المظهر
settings-theme = الألوان
settings-contrast = التباين
contrast-system = حسب النظام
contrast-more = عالٍ
settings-text-size = حجم النص
text-size-normal = عادي
text-size-large = كبير
text-size-larger = أكبر
text-size-largest = الأكبر
settings-density = كثافة العرض
density-comfortable = مريح
density-normal = عادي
density-compact = متراص
section-keyboard = الكتابة والاختصارات
settings-send-with = الإرسال
send-with-enter = زر الإدخال
send-with-ctrl_enter = Ctrl مع زر الإدخال
settings-single-keys = اختصارات بمفتاح واحد
settings-single-keys-hint = مثل J للمحادثة التالية. لا تعمل أثناء الكتابة أبدًا.
section-notifications = الإشعارات
section-computer = هذا الجهاز
settings-private = إشعارات خاصة
settings-private-hint = لا يظهر اسم المراجع ولا نص رسالته، بل رقم الطلب وحده.
settings-sound = صوت الإشعار
settings-sound-hint = يُسمع النغمان فور اختيارهما. صوت النظام يُسمع مع إشعار التجربة.
sound-system = صوت النظام
sound-bell = جرس
sound-drop = نغمة هادئة
sound-off = بلا صوت
settings-quiet = ساعات هدوء
settings-quiet-hint = لا تظهر فيها إشعارات، ويستمر العدّ. ما أُسند إليك بالاسم، وما لم يبقَ للرد عليه في واتساب إلا أقل من ساعة، يظهر بلا صوت.
quiet-from = من
quiet-until = إلى
quiet-days = الأيام التي تبدأ فيها
quiet-no-day = لم يُختر يوم، فلا هدوء في أي يوم.
day-sunday = الأحد
day-monday = الاثنين
day-tuesday = الثلاثاء
day-wednesday = الأربعاء
day-thursday = الخميس
day-friday = الجمعة
day-saturday = السبت
notices-shown = النظام يعرض الإشعارات
notices-shown-hint = جرّب إشعارًا لترى كيف يظهر على هذا الجهاز.
notices-paused = النظام في وضع عدم الإزعاج
notices-paused-hint = لن يظهر أي إشعار حتى يُلغى هذا الوضع في إعدادات النظام.
notices-forbidden = النظام يمنع إشعارات شُبّاك
notices-forbidden-hint = اسمح بها في إعدادات النظام، قسم الإشعارات.
notices-missing = لا برنامج هنا يعرض الإشعارات
notices-missing-hint = اطلب من الدعم الفني تشغيل خادم الإشعارات في هذا النظام.
notices-unknown = لا يُعرف إن كان النظام يعرض الإشعارات
notices-unknown-hint = جرّب إشعارًا. إن لم يظهر فراجع الإشعارات في إعدادات النظام.
notices-try = تجربة إشعار
notices-tried = أُرسل إشعار. إن لم يظهر فراجع إعدادات النظام.
settings-start = تشغيل شُبّاك مع النظام
settings-start-hint = يبدأ في الخلفية عند الدخول إلى الجهاز. تصل الإشعارات بعد فتح القفل.
settings-start-unknown = لا يمكن تشغيل هذه النسخة مع النظام.
settings-place = يُحفظ مكان النافذة وحجمها عند الإغلاق.

## The foot

foot = حالة المزامنة
foot-connecting = جارٍ الاتصال بالبوابة…
foot-syncing = جارٍ استلام الجديد…
foot-synced = آخر مزامنة { $time }
foot-live = متصل
foot-offline = دون اتصال منذ { $time }
foot-offline-bare = دون اتصال بالبوابة
foot-waiting = { $count ->
    [zero] لا شيء بانتظار الإرسال
    [one] رسالة واحدة بانتظار الإرسال
    [two] رسالتان بانتظار الإرسال
    [few] { $count } رسائل بانتظار الإرسال
    [many] { $count } رسالة بانتظار الإرسال
   *[other] { $count } رسالة بانتظار الإرسال
}
foot-stuck = { $count ->
    [zero] لا متعثر
    [one] إجراء واحد متعثر يحتاج إليك
    [two] إجراءان متعثران يحتاجان إليك
    [few] { $count } إجراءات متعثرة تحتاج إليك
    [many] { $count } إجراءً متعثرًا يحتاج إليك
   *[other] { $count } إجراء متعثر يحتاج إليك
}

## إشعارات النظام، يقولها المكتب

notify-new = { $kind } من { $name }
notify-wrote = رسالة جديدة من { $name }
notify-given = أُسند إليك { $number }
notify-closing = أقل من ساعة للرد على { $name } في واتساب
notify-private = رسالة جديدة
notify-private-given = أُسند إليك طلب
notify-private-closing = أقل من ساعة لرد ينتظره مراجع
notify-private-body = { $number }. افتح شُبّاك للقراءة.
notify-missed = وصل الكثير دفعة واحدة
notify-trial = إشعار للتجربة
notify-trial-body = هكذا تظهر إشعارات شُبّاك على هذا الجهاز.
notify-not-text = ({ $type })
notify-many = { $count ->
    [zero] لا محادثات بانتظارك
    [one] محادثة واحدة بانتظارك
    [two] محادثتان بانتظارك
    [few] { $count } محادثات بانتظارك
    [many] { $count } محادثة بانتظارك
   *[other] { $count } محادثة بانتظارك
}
notify-many-body = افتح شُبّاك لترى الجديد.

## The tray and the system, beside the window

tray-open = فتح شُبّاك
tray-quit = إنهاء شُبّاك
tray-waiting = { $count ->
    [zero] شُبّاك: لا أحد بانتظار الرد
    [one] شُبّاك: محادثة واحدة بانتظار الرد
    [two] شُبّاك: محادثتان بانتظار الرد
    [few] شُبّاك: { $count } محادثات بانتظار الرد
    [many] شُبّاك: { $count } محادثة بانتظار الرد
   *[other] شُبّاك: { $count } محادثة بانتظار الرد
}
notification-open = فتح المحادثة

## Search: over everything on this machine, and in one conversation

do-search = البحث في كل شيء
do-find = البحث في هذه المحادثة
search-short = بحث
search-field = ابحث في الأسماء والرسائل والطلبات
search-placeholder = كلمة أو اسم أو رقم هاتف أو رقم طلب
search-people = المراجعون
search-cases = الطلبات
search-texts = الرسائل والملاحظات الداخلية
search-unsent = لم يُرسل بعد
search-recent = بحثت مؤخراً عن
search-narrow = لتضييق البحث
search-operator-from = من
search-operator-before = قبل
search-operator-since = منذ
search-operator-owner = مالك
search-operator-state = حالة
search-hint-from = اسم من كتب: مراجع أو موظف، أو «أنا»
search-hint-before = تاريخ: 2026-11-01 أو 1/11/2026 أو «اليوم» أو «أمس»
search-hint-since = ذلك اليوم وما بعده
search-hint-owner = صاحب الطلب، أو «أنا»، أو «بلا»
search-hint-state = مفتوحة أو مغلقة أو بانتظار
search-waits = بانتظار الرد
search-closed = مغلق
search-none-title = لا نتائج على هذا الجهاز
search-none-text = جرّب جزءاً من الكلمة أو الاسم، أو آخر أربعة أرقام من الهاتف. ما يسبق المزامنة الأولى ليس محفوظاً هنا.
search-going = البحث جارٍ فيما هو أقدم…
stage-draft = مسودة
stage-waiting = بانتظار الإرسال
stage-stuck = متعثر
search-unclear = لم يُفهم: { $text }
search-indexing = يُجهَّز البحث في المحادثات الأقدم: { $percent }٪
search-forget = مسح عمليات البحث
find = البحث في المحادثة
find-placeholder = ابحث في هذه المحادثة
find-none = لا نتائج
find-count = { $at } من { $count }
find-count-more = { $at } من أكثر من { $count }
find-older = الأقدم
find-newer = الأحدث
find-close = إنهاء البحث

## What has not reached the gateway, several people at one computer, what is kept here

unsent-title = ما لم يصل إلى البوابة
unsent-stuck = يحتاج إليك
unsent-waiting = بانتظار الإرسال
unsent-drafts = المسودات
unsent-none-title = لا شيء بانتظار الإرسال
unsent-none-text = كل ما كتبته وعملته هنا وصل إلى البوابة.
unsent-unseen = محادثة لم تعد متاحة لك
unsent-open = فتح المحادثة
unsent-copy = نسخ النص
unsent-leave = تركها ملاحظة داخلية
unsent-dropped = حُذف.
unsent-undo = تراجع عن الحذف
copied-text = نُسخ النص
fate-next = في طريقه إلى البوابة الآن.
fate-offline = يُرسل من نفسه حالما يمكن الوصول إلى البوابة.
fate-offline-reply = يُرسل من نفسه حالما يمكن الوصول إلى البوابة. إن طال انتظاره وكتب المراجع من جديد، يعود إليك أولاً.
fate-after = يُرسل بعد ما كتبته قبله في هذه المحادثة.
fate-taken = استلمته البوابة، وجوابها في الطريق.
fate-stuck = عالق.
fate-draft = على هذا الجهاز وحده إلى أن ترسلها.
fate-draft-unseen = على هذا الجهاز وحده. يمكنك نسخها أو حذفها، فالملاحظة لن تصل إلى أحد.
clock-slow = ساعة هذا الجهاز متأخرة { $time }.
clock-fast = ساعة هذا الجهاز متقدمة { $time }.
clock-rule = الأوقات هنا بحسب ساعة البوابة.
do-unsent = ما لم يصل إلى البوابة
parting = ماذا يُعمل به؟
parting-keep_sending = متابعة الإرسال
parting-hand_over = تسليمه للزملاء
parting-hint-keep_sending = يستمر إرساله خلف القفل إلى أن ينتهي. إن أُطفئ الجهاز قبل ذلك انتظر دخولك القادم من هنا. والعالق ينتظرك.
parting-hint-hand_over = الردود التي لم تُرسل تصير ملاحظات داخلية على طلباتها ليجيب زميل عنها، ولا يُرسل شيء بعدها إلى المراجعين باسمك.
going-out = { $count ->
    [zero] لا شيء قيد الإرسال.
    [one] ما زال عمل واحد لمن كان هنا قيد الإرسال. يُرجى إبقاء الجهاز يعمل.
    [two] ما زال عملان لمن كان هنا قيد الإرسال. يُرجى إبقاء الجهاز يعمل.
    [few] ما زالت { $count } أعمال لمن كان هنا قيد الإرسال. يُرجى إبقاء الجهاز يعمل.
    [many] ما زال { $count } عملاً لمن كان هنا قيد الإرسال. يُرجى إبقاء الجهاز يعمل.
   *[other] ما زال { $count } عمل لمن كان هنا قيد الإرسال. يُرجى إبقاء الجهاز يعمل.
}
wiped = أغلقت الإدارة وصول هذا الجهاز، وحُذف ما كان محفوظاً عليه لذلك الحساب ({ $time }).
wiped-lost = وفُقد معه ما لم يُرسل ({ $unsent }) والمسودات ({ $drafts }).
mended-records = وُجد ملف تالف ({ $time }) فنُحّي جانباً، ويُستلم ما كان فيه من البوابة من جديد. لم يُفقد شيء مما كتبته.
mended-whole = تلف ملف مسوداتك ({ $time }) وحُفظ كل ما فيه: المسودات ({ $drafts }) وما لم يُرسل ({ $unsent }).
mended-part = تلف ملف مسوداتك ({ $time }). حُفظ من المسودات ({ $drafts }) ومما لم يُرسل ({ $unsent })، وقد يكون بعضها فُقد: تحقق مما ينقص. الملف التالف محفوظ للدعم الفني.
mended-read = قرأت ذلك
settings-lock-after = القفل بعد
settings-lock-after-hint = حين لا تُلمس المفاتيح ولا الفأرة. الجهاز المقفل يستمر في الاستلام، ولا تُظهر إشعاراته المحتوى.
lock-after-never = أبداً
storage-title = المحفوظ لك على هذا الجهاز، مشفّراً
storage-conversations = المحادثات
storage-messages = الرسائل
storage-notes = الملاحظات الداخلية
storage-since = أقدم رسالة
storage-nothing = لا يوجد
storage-drafts = المسودات
storage-unsent = لم يُرسل بعد
storage-records = ما يمكن استلامه من جديد
storage-precious = المسودات وما لم يُرسل
storage-aside = ملفات تالفة منحّاة
storage-folder = مكانه
storage-clear = مسح واستلام من جديد
storage-clear-title = مسح المحفوظ هنا؟
storage-clear-hint = تُستلم المحادثات من البوابة من جديد. تبقى المسودات والملاحظات وما لم يُرسل.
storage-clear-offline = أثناء الاتصال فقط، وإلا لم يبق ما يُقرأ.
note-of-draft = مسودة رد لم تُرسل:
note-of-reply = رد لم يُرسل:

## First run: what somebody who begins is led to

first-title = أهلًا بك، { $name }
first-text = خطوات أول رد:
first-arrives = يكتب مراجع إلى رقم الجهة { $numbers } على واتساب، فتظهر محادثته في القائمة فورًا.
first-arrives-bare = يكتب مراجع إلى رقم الجهة على واتساب، فتظهر محادثته في القائمة فورًا.
first-claim = افتح المحادثة. «استلام» يجعلها عندك، ويرى زملاؤك أنك تتولاها.
first-share = افتح المحادثة. «إسناد» يعطيها لزميل، و«استلام» يجعلها عندك.
first-answer = اكتب الرد تحت المحادثة. يصل إلى المراجع على واتساب، أما الملاحظة الداخلية فلزملائك وحدهم.
first-done = تم
first-known = أعرف ذلك
first-hint-share = لا أحد يتولى هذا الطلب بعد. «إسناد» ({ $keys }) يعطيه لزميل، أو أجب بنفسك.
first-hint-answer = اكتب الرد هنا، وأرسله بمفتاح { $keys }. يصل إلى المراجع على واتساب.
first-answered = انطلق أول رد لك. مفتاح { $keys } يعرض كل الاختصارات.
