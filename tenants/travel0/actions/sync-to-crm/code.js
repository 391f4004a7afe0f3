const axios = require("axios");

/** Tells the CRM about a traveller's first login, and never stands in the way of it. */
exports.onExecutePostLogin = async (event, api) => {
  if (event.stats.logins_count > 1 || event.user.app_metadata?.crm_known) {
    return;
  }
  try {
    await axios.post(
      "https://crm.travel0.example/contacts",
      { id: event.user.user_id, email: event.user.email, source: event.client.name },
      { headers: { Authorization: `Bearer ${event.secrets.CRM_TOKEN}` }, timeout: 2000 },
    );
    api.user.setAppMetadata("crm_known", true);
  } catch (error) {
    console.log(`CRM not reached: ${error.message}`);
  }
};
