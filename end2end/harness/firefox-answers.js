// Answers what Firefox asks beside its address, as a person does, two seconds later: by the button, where ANSWER says so.
// Firefox runs this when it starts, if it is told to (AutoConfig); it does not read the first line.

/* global ChromeUtils, Services */
const { setInterval } = ChromeUtils.importESModule('resource://gre/modules/Timer.sys.mjs');
const seen = new WeakMap();

setInterval(() => {
  for (const { PopupNotifications } of Services.wm.getEnumerator('navigator:browser')) {
    const question = PopupNotifications?.isPanelOpen && PopupNotifications.panel.firstElementChild;
    if (!question) continue;
    if (!seen.has(question)) seen.set(question, Date.now());
    if (Date.now() - seen.get(question) < 2_000) continue;
    const button = Services.env.get('ANSWER') === 'allow' ? question.button : question.secondaryButton;
    button.click();
  }
}, 250);
