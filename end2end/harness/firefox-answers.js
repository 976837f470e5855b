// Answers what Firefox asks beside its address, once there is the file that ANSWER_WHEN names: by the button that ANSWER says.
// Firefox runs this when it starts, if it is told to (AutoConfig); it does not read the first line.

/* global ChromeUtils, Services */
const { setInterval } = ChromeUtils.importESModule('resource://gre/modules/Timer.sys.mjs');
const { FileUtils } = ChromeUtils.importESModule('resource://gre/modules/FileUtils.sys.mjs');
const answered = new FileUtils.File(Services.env.get('ANSWER_WHEN'));

setInterval(() => {
  for (const { PopupNotifications } of Services.wm.getEnumerator('navigator:browser')) {
    const question = PopupNotifications?.isPanelOpen && PopupNotifications.panel.firstElementChild;
    if (!question || !answered.exists()) continue;
    const button = Services.env.get('ANSWER') === 'allow' ? question.button : question.secondaryButton;
    button.click();
  }
}, 250);
